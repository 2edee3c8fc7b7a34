"""`zcc api call`, `download`, `budget` and `zcc doctor` against the simulated Zoom, over HTTP."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
import structlog.testing
from aiohttp import ClientSession
from typer.testing import CliRunner, Result

from operations.api.command import api_app
from operations.components import by_name
from operations.doctor.command import run as doctor
from operations.topics.apply import apply as apply_topics
from processors.daily_counts import KafkaDailyCounts
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from simulator.company import make_company
from simulator.service import rest_api
from sinks.postgres.migrate import migrate
from tests.component.operations.test_cli import zcc
from tests.support.fakes.zoom import http, raw_server
from tests.support.patience import HANG_GUARD_S
from tests.support.simulator_api import Api
from tests.support.simulator_receiver import simulator_settings
from zoom.limits import Label
from zoom.rate_limits.daily_share import Count

company = make_company(1)
secret = "credentials of the tests"


@asynccontextmanager
async def simulated(**changes: object) -> AsyncIterator[Api]:
    settings = simulator_settings("http://127.0.0.1:9/", **changes)
    async with rest_api(settings, company) as base, ClientSession() as session:
        yield Api(session, base)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with simulated(rest_file_size_bytes=300_000) as running:
        yield running


def settings_for(base: str) -> dict[str, str]:
    return {
        "ZCC_ZOOM_ACCOUNT_ID": company.account_id,
        "ZCC_ZOOM_CLIENT_ID": "app-1",
        "ZCC_ZOOM_CLIENT_SECRET": secret,
        "ZCC_ZOOM_OAUTH_URL": f"{base}/oauth/token",
        "ZCC_ZOOM_API_URL": f"{base}/v2",
        "ZCC_ZOOM_DOWNLOAD_HOSTS": "127.0.0.1",
    }


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("ZCC_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def configured(api: Api, environment: pytest.MonkeyPatch) -> Api:
    for name, value in settings_for(api.base).items():
        environment.setenv(name, value)
    return api


async def run(*arguments: str) -> Result:
    """Run a command in a thread, with a loop of its own."""
    with structlog.testing.capture_logs() as logs:
        done = await asyncio.to_thread(CliRunner().invoke, api_app, arguments)
    for text in (done.output, str(done.exception), str(logs)):
        assert secret not in text
    return done


def objects(done: Result) -> list[dict[str, object]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_all_pages_come_thing_by_thing(configured: Api) -> None:
    (page,) = objects(await run("call", "list_users", "--page-size", "7", "--json"))
    assert page["page_size"] == 7
    users = objects(await run("call", "list_users", "--page-size", "7", "--page-all", "--json"))
    ids = [user["user_id"] for user in users]
    assert len(ids) == len(set(ids)) > 7
    assert ids[:7] == [user["user_id"] for user in page["users"]]  # type: ignore[attr-defined] # a list


async def test_a_table_has_a_row_for_each_thing_over_all_pages(configured: Api) -> None:
    done = await run("call", "list_queues", "--page-size", "3", "--page-all")
    assert done.exit_code == 0
    rows = done.stdout.splitlines()
    assert rows[0].split()[0] == "queue_id"
    assert f"{len(rows) - 1} queues" in done.stderr
    assert len(rows) - 1 > 3
    one = await run("call", "list_queues", "--page-size", "3")
    assert "there is more: see --page-all" in one.stderr
    assert one.stdout.splitlines()[1:] == rows[1:4]


async def test_one_thing_is_shown_member_by_member_and_absence_is_one_line(
    configured: Api,
) -> None:
    (page,) = objects(await run("call", "list_users", "--page-size", "1", "--json"))
    (user,) = page["users"]  # type: ignore[misc] # a list of one
    done = await run("call", "get_user", "--user-id", user["user_id"])
    assert f"user_id                  {user['user_id']}" in done.stdout
    absent = await run("call", "get_user", "--user-id", "nobody")
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert absent.stderr == "zcc: not_found: get_user: status 404, code 1001\n"


async def test_a_write_is_done_when_it_is_allowed_and_confirmed(configured: Api) -> None:
    write = ("call", "create_skill", "--body", '{"skill_name": "Words"}', "--allow-writes")
    (made,) = objects(await run(*write, "--yes", "--json"))
    deleted = await run(
        *("call", "delete_skill", "--skill-id", str(made["skill_id"])),
        *("--allow-writes", "--yes"),
    )
    assert (deleted.exit_code, deleted.stdout) == (0, "")
    assert "the reply has no document" in deleted.stderr


async def test_an_outage_and_a_missing_scope_have_their_exit_codes(configured: Api) -> None:
    await configured.set_faults(outage=True)
    down = await run("call", "list_users")
    assert isinstance(down.exception, TransientError)
    await configured.set_faults(withheld_scopes=["contact_center:read:list_users:admin"])
    poor = await run("call", "list_users")
    assert isinstance(poor.exception, ConfigurationError)
    assert "add to the app the scope contact_center:read:list_users:admin" in str(poor.exception)


async def test_a_recording_is_downloaded_whole(configured: Api, tmp_path: Path) -> None:
    url = f"{configured.base}/v2/contact_center/recording/download/r1"
    file = tmp_path / "r1.mp3"
    (report,) = objects(await run("download", url, "--to", str(file), "--json"))
    assert report == {
        "file": str(file),
        "size_bytes": 300_000,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "content_type": "audio/mpeg",
    }
    again = await run("download", url, "--to", str(file))
    assert again.stdout.startswith(f"{file}: 300000 bytes, audio/mpeg, sha256 ")
    nowhere = await run("download", url, "--to", str(tmp_path / "none" / "x"))
    assert "cannot write it: No such file" in str(nowhere.exception)
    strange = await run("download", "https://example.com/x", "--to", str(file))
    assert strange.exit_code == 1
    assert "ZCC_ZOOM_DOWNLOAD_HOSTS does not name it" in strange.stderr


async def test_the_budget_is_what_plan_and_share_give(configured: Api) -> None:
    result = await run("budget")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        *("label", "LIGHT", "MEDIUM", "HEAVY"),
    ]
    assert "no ZCC_KAFKA_ variable is set" in result.stderr
    (heavy,) = [row for row in await budget() if row["label"] == "HEAVY"]
    assert heavy == {
        "label": "HEAVY",
        "limit_per_second": 5,
        "share_per_second": 2.0,
        "limit_per_day": 15_000,
        "share_per_day": 7_500,
        "used_today": None,
        "paused_until": None,
    }


async def budget(*arguments: str) -> list[dict[str, object]]:
    (report,) = objects(await run("budget", "--json", *arguments))
    rows = report["labels"]
    assert isinstance(rows, list)
    return rows


async def test_a_probe_corrects_the_limit_by_what_zoom_says(
    environment: pytest.MonkeyPatch,
) -> None:
    async with simulated(rest_light_per_s=3) as api:
        for name, value in settings_for(api.base).items():
            environment.setenv(name, value)
        (light, *_) = await budget("--probe")
        assert light["limit_per_second"] == 3
        await api.set_faults(faults=[{"kind": "daily_limited"}])
        (light, *_) = await budget("--probe")
        until = datetime.fromisoformat(str(light["paused_until"]))
        assert until > datetime.now(UTC)


async def test_a_probe_needs_a_scope_of_some_list(environment: pytest.MonkeyPatch) -> None:
    async with simulated(rest_scopes="of:another:kind") as api:
        for name, value in settings_for(api.base).items():
            environment.setenv(name, value)
        poor = await run("budget", "--probe")
    assert "the token permits no list" in str(poor.exception)


async def test_what_workers_have_used_today_comes_from_kafka(
    configured: Api, kafka_settings: KafkaSettings, environment: pytest.MonkeyPatch
) -> None:
    await apply_topics(kafka_settings)
    clock = SystemClock()
    async with (
        KafkaPublisher(kafka_settings, client_id="t", clock=clock) as publisher,
        asyncio.timeout(HANG_GUARD_S),
    ):
        while not publisher.ready:
            await asyncio.sleep(0.01)
        kept = KafkaDailyCounts(
            kafka_settings,
            publisher,
            account_id=company.account_id,
            worker="enrichment",
            clock=clock,
        )
        today = clock.now().date()
        await kept.save(Label.HEAVY, 0, Count(today, 1, 0, 40))
        await kept.save(Label.HEAVY, 1, Count(today, 1, 0, 2))
        await kept.save(Label.HEAVY, 2, Count(today.replace(year=2020), 1, 0, 500))
    _set_kafka(environment, kafka_settings)
    rows = {row["label"]: row["used_today"] for row in await budget()}
    assert rows == {"LIGHT": None, "MEDIUM": None, "HEAVY": 42}


async def test_what_commands_use_of_the_day_is_known_to_the_next_ones(
    configured: Api, kafka_settings: KafkaSettings, environment: pytest.MonkeyPatch
) -> None:
    _set_kafka(environment, kafka_settings)
    heavy, light = ("call", "list_engagements", "--json"), ("call", "list_skills", "--json")
    assert (await run(*heavy)).exit_code == 0  # without the topic calls go on
    await apply_topics(kafka_settings)
    for used in (1, 2, 3):
        assert (await run(*heavy)).exit_code == 0
        (row,) = [row for row in await budget() if row["label"] == "HEAVY"]
        assert row["used_today"] == used
    environment.setenv("ZCC_ZOOM_CALLS_PER_DAY", '{"HEAVY": 6}')
    spent = await run(*heavy)
    assert "over_budget: list_engagements: the day's budget is spent" in str(spent.exception)
    assert (await run(*light)).exit_code == 0


def _set_kafka(environment: pytest.MonkeyPatch, kafka: KafkaSettings) -> None:
    environment.setenv("ZCC_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    environment.setenv("ZCC_KAFKA_TOPIC_PREFIX", kafka.topic_prefix)
    environment.setenv("ZCC_KAFKA_REPLICATION", "1")
    environment.setenv("ZCC_KAFKA_ENGAGEMENT_PARTITIONS", str(kafka.engagement_partitions))
    environment.setenv("ZCC_KAFKA_OTHER_PARTITIONS", str(kafka.other_partitions))


async def examined(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[str]]]:
    """Run the doctor; return its exit code and what it found, "state: text" by check."""
    capsys.readouterr()
    code = await doctor(as_json=True, clock=SystemClock())
    text = capsys.readouterr().out
    assert secret not in text
    report = json.loads(text)
    assert report["well"] is (code == 0)
    findings: dict[str, list[str]] = {}
    for each in report["findings"]:
        findings.setdefault(each["check"], []).append(f"{each['state']}: {each['text']}")
    return code, findings


async def test_a_doctor_with_nothing_to_examine_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, findings = await examined(capsys)
    assert code == 1
    assert findings["settings"][-1] == "wrong: no ZCC_ variable of the product is set"
    assert "zoom token" not in findings


async def test_a_doctor_finds_everything_well(
    configured: Api,
    kafka_settings: KafkaSettings,
    database_dsn: str,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _set_kafka(environment, kafka_settings)
    environment.setenv("ZCC_POSTGRES_DSN", database_dsn)
    code, findings = await examined(capsys)
    assert code == 1
    assert "run `zcc topics apply`" in findings["kafka"][0]
    assert findings["postgres"][0].startswith("wrong: the tables are missing")

    await apply_topics(kafka_settings)
    await asyncio.to_thread(migrate, database_dsn)
    environment.setenv("ZCC_POSTGRESS_DSN", "postgresql://u:typing-error@h/d")
    code, findings = await examined(capsys)
    assert code == 0, findings
    assert findings["kafka"] == ["ok: it answers, and the topics match their specifications"]
    assert findings["postgres"][0].startswith("ok: it answers, its tables are at revision ")
    assert "note: ZCC_POSTGRESS_DSN: no part of the product reads it" in findings["settings"]
    assert findings["zoom token"][0].startswith(
        "ok: granted for the account; the API is at 127.0.0.1"
    )
    assert len(findings["scopes enrichment"]) == len(by_name["enrichment"].zoom_operations)
    assert all(text.startswith("ok: ") for text in findings["scopes enrichment"])
    assert findings["clock"] == ["ok: 0 s from Zoom's"]


async def test_a_doctor_names_the_scope_that_is_missing(
    configured: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = "contact_center:read:queue:admin"
    await configured.set_faults(withheld_scopes=[missing])
    code, findings = await examined(capsys)
    assert code == 1
    (wrong,) = [text for text in findings["scopes enrichment"] if text.startswith("wrong")]
    assert wrong.startswith(f"wrong: get_queue: add to the app {missing} or ")


async def test_a_doctor_reports_wrong_credentials_and_settings_without_repeating_them(
    configured: Api, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("ZCC_ZOOM_CLIENT_SECRET", f"{secret}, but wrong")
    environment.setenv(
        "ZCC_POSTGRES_DSN", f"postgresql://u:{secret.replace(' ', '_')}@127.0.0.1:1/d"
    )
    environment.setenv("ZCC_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    environment.setenv("ZCC_WORKER_CONCURRENCY", "none")
    code, findings = await examined(capsys)
    assert code == 1
    assert "ZCC_ZOOM_CLIENT_SECRET: no app has both" in findings["zoom token"][0]
    assert findings["postgres"][0].startswith("wrong: ")
    assert findings["kafka"][0].startswith("wrong: ")
    assert any(text.startswith("wrong: ZCC_WORKER_CONCURRENCY: ") for text in findings["settings"])
    assert secret.replace(" ", "_") not in str(findings)


@pytest.mark.parametrize(
    ("ahead_s", "expected"),
    [
        (0, "ok: 0 s from Zoom's"),
        (3600, "wrong: this machine is 3599 s ahead of Zoom"),
        (-3600, "wrong: this machine is 3600 s behind Zoom"),
    ],
)
async def test_a_doctor_compares_the_clock_with_zooms_and_knows_tokens_without_scopes(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ahead_s: int, expected: str
) -> None:
    class OffClock(SystemClock):
        def now(self) -> datetime:
            return moment

    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    zooms = datetime.fromtimestamp(moment.timestamp() - ahead_s, UTC)
    headers = {"Date": format_datetime(zooms, usegmt=True)}

    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, b'{"access_token": "t"}', headers))

    async with raw_server(serve) as url:
        for name, value in settings_for(url).items():
            environment.setenv(name, value)
        code = await doctor(as_json=False, clock=OffClock())
    lines = capsys.readouterr().out.splitlines()
    (clock,) = [line.split(maxsplit=2) for line in lines if " clock " in line]
    assert f"{clock[0]}: {clock[2]}".startswith(expected)
    assert code == (1 if ahead_s else 0)
    assert any("the token does not name its scopes" in line for line in lines)


async def test_the_commands_are_there_for_a_person(configured: Api) -> None:
    """As processes: one line on standard error, and the exit code."""
    settings = settings_for(configured.base)
    absent = await asyncio.to_thread(zcc, "api", "call", "get_user", "--user-id", "x", **settings)
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr == "zcc: not_found: get_user: status 404, code 1001\n"
    wrong = await asyncio.to_thread(zcc, "api", "call", "get_usr", **settings)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    well = await asyncio.to_thread(zcc, "doctor", **settings)
    assert well.returncode == 0
    assert "ok      zoom token" in well.stdout
    assert secret not in absent.stderr + wrong.stderr + well.stdout + well.stderr
