"""The image, built and run as docker-compose.yml runs it; skipped where no container engine is.

ZCC_TEST_PYTHON_IMAGE names another base than the Dockerfile's, for machines without its registry.
"""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.patience import HANG_GUARD_S
from tests.support.stack import engine_answers

BUILD_TIMEOUT_S = 900
LOG_POLL_S = 0.2
STOP_TIMEOUT_S = 30

root = Path(__file__).parents[3]
product = yaml.safe_load((root / "docker-compose.yml").read_text())["x-product"]
as_compose_runs_it = (
    *("--read-only" for _ in range(product["read_only"])),
    *(f"--tmpfs={path}" for path in product["tmpfs"]),
    *(f"--cap-drop={capability}" for capability in product["cap_drop"]),
    *(f"--security-opt={option}" for option in product["security_opt"]),
)
ingest = {
    "ZCC_INGEST_APPS": '{"default": ["a-webhook-secret"]}',
    "ZCC_INGEST_PSEUDONYM_KEY": "a-pseudonym-key-for-tests",
}

pytestmark = [
    pytest.mark.skipif(
        shutil.which("docker") is None or not engine_answers(),
        reason="no image is built: there is no docker command, or no engine answers it",
    ),
    pytest.mark.timeout(BUILD_TIMEOUT_S),
]


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )


def built(target: str) -> Iterator[str]:
    """Build a target of the Dockerfile under a name of its own; take the name away afterwards."""
    name = f"zcc-test-{target}:{uuid.uuid4().hex[:12]}"
    base = os.environ.get("ZCC_TEST_PYTHON_IMAGE")
    arguments = ["--build-arg", f"PYTHON_IMAGE={base}"] if base else []
    dockerfile = root / "deploy" / "Dockerfile"
    done = docker(
        *("build", "--file", str(dockerfile), "--target", target, "--tag", name),
        *arguments,
        str(root),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield name
    docker("image", "rm", name)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    yield from built("product")


@pytest.fixture(scope="module")
def simulator_image() -> Iterator[str]:
    yield from built("simulator")


def run(
    image: str, *arguments: str, options: tuple[str, ...] = (), **settings: str
) -> subprocess.CompletedProcess[str]:
    variables = (f"--env={name}={value}" for name, value in settings.items())
    return docker("run", "--rm", *as_compose_runs_it, *options, *variables, image, *arguments)


def test_the_image_says_its_version(image: str) -> None:
    done = run(image, "--version")
    assert (done.returncode, done.stdout) == (0, "0.1.0\n")


def test_the_process_has_no_rights_and_cannot_write_its_own_files(image: str) -> None:
    script = "id -u; grep CapEff /proc/self/status; touch /opt/zcc/bin/zcc"
    done = run(image, "-c", script, options=("--entrypoint=sh",))
    assert done.stdout.split() == ["10001", "CapEff:", "0000000000000000"]
    assert "cannot touch" in done.stderr


def test_the_migrations_are_in_the_image(image: str) -> None:
    done = run(image, "migrate", "--sql")
    assert done.returncode == 0
    assert "create table" in done.stdout.lower()


@pytest.mark.parametrize(
    ("command", "settings", "expected_error"),
    [
        (("ingest",), {}, "ZCC_INGEST_APPS: "),
        (("processor", "enrichment"), {}, "ZCC_ZOOM_ACCOUNT_ID: "),
        (("sink", "postgres"), {}, "ZCC_POSTGRES_DSN: "),
        (("sink", "object-storage"), {"ZCC_OBJECT_STORAGE_URL": "ftp://x/y"}, "s3://"),
        (("topics", "check"), {"ZCC_KAFKA_TOPIC_PREFIX": "Bad Name"}, "ZCC_KAFKA_TOPIC_PREFIX: "),
        (("reconcile",), {}, "ZCC_POSTGRES_DSN: "),
        (("simulate",), {}, "does not contain simulator"),
    ],
)
def test_every_part_is_in_the_image_as_far_as_its_settings(
    image: str, command: tuple[str, ...], settings: dict[str, str], expected_error: str
) -> None:
    done = run(image, *command, **settings)
    assert done.returncode == 2, done.stderr
    assert expected_error in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_other_image_has_the_simulator_too(simulator_image: str) -> None:
    done = run(simulator_image)
    assert done.returncode == 2, done.stderr
    assert "ZCC_SIMULATOR_SECRET: " in done.stderr


def test_ingest_as_the_first_process_of_a_container_ends_well_on_sigterm(image: str) -> None:
    name = f"zcc-test-{uuid.uuid4().hex[:12]}"
    variables = (f"--env={key}={value}" for key, value in ingest.items())
    docker("run", "--detach", f"--name={name}", *as_compose_runs_it, *variables, image, "ingest")
    try:
        deadline_s = time.monotonic() + HANG_GUARD_S
        while '"listening"' not in (log := docker("logs", name)).stdout + log.stderr:
            assert time.monotonic() < deadline_s, log.stdout + log.stderr
            time.sleep(LOG_POLL_S)
        docker("stop", "-t", str(STOP_TIMEOUT_S), name)
        state = docker("inspect", "--format={{.State.ExitCode}}", name)
        assert state.stdout.strip() == "0"
    finally:
        docker("rm", "--force", name)
