"""The command line as a person meets it: each command is a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from operations.topics.specs import deployment_specs
from runtime.settings import KafkaSettings
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack

root = Path(__file__).parents[3]
clean = {name: value for name, value in os.environ.items() if not name.startswith("ZCC_")}


def zcc(
    *arguments: str, stdin: str | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment of these settings; ``stdin`` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "operations", *arguments],
        cwd=root,
        env={**clean, **settings},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
        check=False,
    )


def test_the_version_is_that_of_the_distribution() -> None:
    done = zcc("--version")
    assert done.returncode == 0
    assert done.stdout.strip() == "0.1.0"


def test_help_lists_every_command() -> None:
    text = zcc("--help").stdout
    for command in (
        *("up", "devstack", "ingest", "processor", "sink", "simulate"),
        *("topics", "migrate", "reconcile"),
    ):
        assert f" {command} " in text


def test_completion_of_a_shell_can_be_printed() -> None:
    done = zcc("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "complete" in done.stdout


@pytest.mark.parametrize(
    ("command", "settings", "expected_error"),
    [
        (("ingest",), {}, "ZCC_INGEST_APPS: "),
        (("ingest",), {"ZCC_INGEST_APPS": "{bad"}, "ZCC_INGEST_APPS: expected a JSON object"),
        (("sink", "postgres"), {"ZCC_WORKER_CONCURRENCY": "many"}, "ZCC_WORKER_CONCURRENCY: "),
        (("sink", "postgres"), {}, "ZCC_POSTGRES_DSN: "),
        (("sink", "object-storage"), {"ZCC_OBJECT_STORAGE_URL": "ftp://x/y"}, "s3://"),
        (("processor", "enrichment"), {"ZCC_ZOOM_ACCOUNT_ID": "a"}, "ZCC_ZOOM_CLIENT_ID"),
        (("simulate",), {}, "ZCC_SIMULATOR_SECRET: "),
        (("topics", "check", "--output", "answers.v1"), {}, "need --worker"),
        (("topics", "check"), {"ZCC_KAFKA_TOPIC_PREFIX": "Bad Name"}, "ZCC_KAFKA_TOPIC_PREFIX: "),
        (("topics", "check"), {"ZCC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "ZCC_KAFKA_SASL_"),
        (("up", "--exit"), {}, "--exit needs --events"),
        (("--log-level", "loud", "migrate", "--sql"), {}, "log level 'loud'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_setting_is_one_clear_line_and_exit_code_2(
    command: tuple[str, ...], settings: dict[str, str], expected_error: str
) -> None:
    done = zcc(*command, **settings)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("zcc: ")
    assert expected_error in line


@pytest.mark.parametrize("role", [("sink", "postgres"), ("processor", "enrichment"), ("ingest",)])
def test_each_role_warns_in_one_line_of_a_misspelt_setting(role: tuple[str, ...]) -> None:
    wrong = {"ZCC_INGEST_PSEUDONYM_KEY": "short", "ZCC_ENRICHMENT_MODE": "half"}
    done = zcc(*role, ZCC_WORKER_HEALTH_PROT="9101", **wrong)
    assert done.returncode == 2  # its other settings are wrong
    (line,) = [line for line in done.stderr.splitlines() if "unknown settings" in line]
    assert "ZCC_WORKER_HEALTH_PROT, did you mean ZCC_WORKER_HEALTH_PORT?" in line
    assert "9101" not in line


def test_a_secret_is_not_repeated_when_it_is_wrong() -> None:
    done = zcc("ingest", ZCC_INGEST_APPS='{"default": []}', ZCC_INGEST_PSEUDONYM_KEY="too-short")
    assert done.returncode == 2
    assert "too-short" not in done.stderr + done.stdout


def test_a_broker_that_does_not_answer_is_one_line_and_exit_code_1(unused_tcp_port: int) -> None:
    done = zcc("topics", "check", ZCC_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("zcc: ")
    assert "Traceback" not in done.stderr


def test_topics_are_made_once_and_then_found_as_they_should_be(
    kafka_settings: KafkaSettings,
) -> None:
    settings = {
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "ZCC_KAFKA_REPLICATION": "1",
        "ZCC_KAFKA_ENGAGEMENT_PARTITIONS": "2",
        "ZCC_KAFKA_OTHER_PARTITIONS": "1",
    }
    missing = zcc("topics", "check", **settings)
    assert missing.returncode == 1
    assert len(missing.stdout.splitlines()) == len(deployment_specs(kafka_settings.topic_plan))
    assert zcc("topics", "apply", **settings).returncode == 0
    settled = zcc("topics", "check", **settings)
    assert (settled.returncode, settled.stdout) == (0, "")
    fewer = zcc("topics", "apply", **{**settings, "ZCC_KAFKA_ENGAGEMENT_PARTITIONS": "1"})
    assert fewer.returncode == 1
    assert "cannot remove partitions" in fewer.stdout
    options = ("--worker", "answers", "--output", "answers.v1", "--retry-delay", "30")
    own = zcc("topics", "apply", *options, **settings)
    assert own.returncode == 0, own.stderr
    for name in ("answers.v1", "dead-letter.answers.v1", "retry.answers.30s.v1"):
        assert f"{kafka_settings.topic_prefix}.{name}" in own.stdout


def test_migration_prints_sql_or_brings_the_tables_up_to_date(database_dsn: str) -> None:
    sql = zcc("migrate", "--sql")
    assert sql.returncode == 0
    assert "raw_event" in sql.stdout
    first = zcc("migrate", ZCC_POSTGRES_DSN=database_dsn)
    again = zcc("migrate", ZCC_POSTGRES_DSN=database_dsn)
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout == again.stdout


def test_reconciling_an_empty_deployment_finds_nothing_missing(
    kafka_settings: KafkaSettings, database_dsn: str, stack: RealStack, object_store_prefix: str
) -> None:
    settings = {
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "ZCC_KAFKA_REPLICATION": "1",
        "ZCC_POSTGRES_DSN": database_dsn,
        "ZCC_OBJECT_STORAGE_URL": f"s3://{stack.s3_bucket}/{object_store_prefix}",
        "ZCC_OBJECT_STORAGE_ENDPOINT": stack.s3_endpoint,
        "ZCC_OBJECT_STORAGE_ACCESS_KEY_ID": stack.s3_access_key,
        "ZCC_OBJECT_STORAGE_SECRET_ACCESS_KEY": stack.s3_secret_key,
    }
    assert zcc("topics", "apply", **settings).returncode == 0
    assert zcc("migrate", **settings).returncode == 0
    done = zcc("reconcile", "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert '"unaccounted": []' in done.stdout


def test_the_real_parts_run_until_ctrl_c_and_print_their_settings(tmp_path: Path) -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "operations", "devstack", "--part", "s3"),
            *("--directory", str(tmp_path / "stack")),
        ],
        cwd=root,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert "data and logs" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=HANG_GUARD_S) == 0
    assert "export ZCC_OBJECT_STORAGE_ENDPOINT=http://127.0.0.1:" in first + rest
    assert "ZCC_KAFKA" not in first + rest


def test_a_port_that_is_no_port_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = zcc("devstack", "--directory", str(tmp_path), "--s3-port", "99999")
    assert (done.returncode, done.stderr) == (2, "zcc: s3_port must be 0 to 65535; got 99999\n")


def test_a_simulator_without_an_endpoint_is_one_line_and_exit_code_1(unused_tcp_port: int) -> None:
    settings = {
        "ZCC_SIMULATOR_SECRET": "s",
        "ZCC_SIMULATOR_CLIENT_SECRET": "s",
        "ZCC_SIMULATOR_TARGET_URL": f"http://127.0.0.1:{unused_tcp_port}/webhooks/zoom",
        "ZCC_SIMULATOR_ENDPOINT_WAIT_S": "0",
    }
    done = zcc("simulate", **settings)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("zcc: validation: ")
    assert "Traceback" not in done.stderr
    other = zcc("simulate", **settings, ZCC_SIMULATOR_ACCOUNT_ID="nobody")
    assert other.returncode == 2
    assert other.stderr.splitlines()[-1].startswith("zcc: ZCC_SIMULATOR_ACCOUNT_ID is nobody")


def test_stored_offsets_are_forgotten_only_when_confirmed(database_dsn: str) -> None:
    settings = {"ZCC_POSTGRES_DSN": database_dsn}
    assert zcc("migrate", **settings).returncode == 0
    assert zcc("offsets", "reset", "postgres", **settings).returncode == 1
    done = zcc("offsets", "reset", "postgres", "--yes", **settings)
    assert (done.returncode, done.stdout) == (
        0,
        "deleted the offsets of 0 partitions of zcc.postgres\n",
    )


def test_a_document_that_is_no_openapi_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"openapi": "3.1.0"')
    out = tmp_path / "out"
    generated = zcc("schemas", "generate", "--webhooks", str(wrong), "--out", str(out))
    compared = zcc("schemas", "diff", str(wrong), str(wrong))
    for done in (generated, compared):
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("zcc: ")
        assert "wrong.json" in line
    assert not out.exists()


def test_drift_of_a_topic_that_is_none_is_one_line_and_exit_code_2() -> None:
    done = zcc("schemas", "drift", "--topic", "zcc.nowhere.v1")
    assert done.returncode == 2
    assert done.stderr.startswith("zcc: ")
