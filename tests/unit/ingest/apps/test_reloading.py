"""Apps from a file follow it, whatever way it is changed, and survive every way it can be wrong."""

import asyncio
import math
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
import uvloop
from prometheus_client import REGISTRY

from ingest.apps.config import read_apps
from ingest.apps.registry import Apps
from ingest.apps.reloading import ReloadingApps
from ingest.initial_metrics import create_app_series
from ingest.metrics import metrics as ingest
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.process.signals import hangup_event
from tests.support.patience import HANG_GUARD_S

old = '{"sales": ["the-old-secret-token"]}'
new = '{"sales": ["the-new-secret-token", "the-old-secret-token"]}'


class SteppedClock(SystemClock):
    """A sleep ends when the test says so."""

    def __init__(self) -> None:
        self._asleep = asyncio.Event()
        self._awake = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self._asleep.set()
        await self._awake.wait()
        self._awake.clear()

    async def step(self) -> None:
        """Let what sleeps go on, until it sleeps again."""
        async with asyncio.timeout(HANG_GUARD_S):
            await self._asleep.wait()
            self._asleep.clear()
            self._awake.set()
            await self._asleep.wait()


class Following:
    """Apps that follow a file, one look at a time."""

    def __init__(self, file: Path) -> None:
        self.clock = SteppedClock()
        self.apps = ReloadingApps(file, clock=self.clock, create_series=create_app_series)
        self.hangup = asyncio.Event()

    async def look(self) -> None:
        await self.clock.step()

    def secrets(self) -> list[bytes]:
        return [secret for app in self.apps.current for secret in app.secrets]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "apps.json"
    path.write_text(old)
    return path


@asynccontextmanager
async def following(file: Path) -> AsyncIterator[Following]:
    follower = Following(file)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.apps.run(follower.hangup))
        yield follower
        running.cancel()


def reloads(outcome: str) -> float:
    return REGISTRY.get_sample_value("zcc_ingest_reloads_total", {"outcome": outcome}) or 0


def last_challenge(app: str) -> float | None:
    name = "zcc_ingest_last_challenge_timestamp_seconds"
    return REGISTRY.get_sample_value(name, {"app": app})


def write_into(file: Path, text: str) -> None:
    file.write_text(text)


def remove(file: Path) -> None:
    file.unlink()


def put_in_its_place(file: Path, text: str) -> None:
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


def keep_size_and_times(file: Path, text: str) -> None:
    before = file.stat()
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [write_into, put_in_its_place, keep_size_and_times])
async def test_a_changed_file_is_read_at_the_next_look(
    file: Path, change: Callable[[Path, str], None]
) -> None:
    async with following(file) as follower:
        assert follower.secrets() == [b"the-old-secret-token"]
        change(file, '{"sales": ["the-New-secret-token"]}')
        await follower.look()
        assert follower.secrets() == [b"the-New-secret-token"]


async def test_a_mounted_secret_is_followed_when_its_link_is_swapped(tmp_path: Path) -> None:
    # As the kubelet does it: the file is a link into ..data, itself a link that is replaced.
    for name, text in (("..1", old), ("..2", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "apps.json").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "apps.json").symlink_to(Path("..data", "apps.json"))
    async with following(tmp_path / "apps.json") as follower:
        assert follower.secrets() == [b"the-old-secret-token"]
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        await follower.look()
        assert follower.secrets() == [b"the-new-secret-token", b"the-old-secret-token"]


async def test_a_loaded_file_is_logged_once_with_counts_only(file: Path) -> None:
    async with following(file) as follower:
        write_into(file, new)
        with structlog.testing.capture_logs() as logs:
            await follower.look()
            await follower.look()
    assert logs == [{"event": "apps read", "log_level": "info", "apps": 1, "secrets": 2}]


async def test_an_unchanged_file_is_neither_logged_nor_counted(file: Path) -> None:
    async with following(file) as follower:
        apps, before = follower.apps.current, reloads("taken")
        with structlog.testing.capture_logs() as logs:
            await follower.look()
        assert follower.apps.current is apps
        assert (logs, reloads("taken")) == ([], before)


async def test_a_requested_reload_logs_and_counts_an_unchanged_file(file: Path) -> None:
    async with following(file) as follower:
        before = reloads("taken")
        follower.hangup.set()
        with structlog.testing.capture_logs() as logs:
            await follower.look()
            await follower.look()
        assert [entry["event"] for entry in logs] == ["apps read"]
        assert reloads("taken") == before + 1


@pytest.mark.parametrize(
    ("damage", "outcome", "reason"),
    [
        (lambda file: file.write_text(new[:-1]), "wrong", "expected a JSON object"),
        (lambda file: file.write_text(""), "wrong", "expected a JSON object"),
        (lambda file: file.write_bytes(b"\xff"), "wrong", "expected a JSON object"),
        (lambda file: file.write_text("{}"), "wrong", "expected a JSON object"),
        (lambda file: file.write_text('{"sales": [" "]}'), "wrong", "app 'sales' has a secret"),
        (lambda file: file.unlink(), "unreadable", "No such file or directory"),
        (lambda file: (file.unlink(), file.mkdir()), "unreadable", "Is a directory"),
    ],
)
async def test_an_unusable_file_keeps_the_apps_and_is_logged_once_and_counted_each_time(
    file: Path, damage: Callable[[Path], object], outcome: str, reason: str
) -> None:
    async with following(file) as follower:
        apps, before = follower.apps.current, reloads(outcome)
        damage(file)
        with structlog.testing.capture_logs() as logs:
            await follower.look()
            await follower.look()
        assert follower.apps.current is apps
        assert reloads(outcome) == before + 2
        (entry,) = logs
        assert (entry["log_level"], entry["file"]) == ("error", str(file))
        assert entry["reason"].startswith(reason)
        assert 'secret"' not in str(entry)


async def test_a_requested_reload_logs_again_why_the_apps_are_kept(file: Path) -> None:
    async with following(file) as follower:
        remove(file)
        with structlog.testing.capture_logs() as logs:
            await follower.look()
            follower.hangup.set()
            await follower.look()
        assert [entry["event"] for entry in logs] == ["apps kept as they were"] * 2


async def test_a_repaired_file_is_loaded_and_logged_even_if_it_is_as_before(file: Path) -> None:
    async with following(file) as follower:
        remove(file)
        await follower.look()
        write_into(file, old)
        before = reloads("taken")
        with structlog.testing.capture_logs() as logs:
            await follower.look()
            await follower.look()
        assert [entry["event"] for entry in logs] == ["apps read"]
        assert reloads("taken") == before + 1


def test_the_first_reading_of_a_file_that_is_not_there_refuses_to_start(tmp_path: Path) -> None:
    missing = tmp_path / "apps.json"
    with pytest.raises(ConfigurationError) as caught:
        ReloadingApps(missing, clock=SystemClock(), create_series=create_app_series)
    assert str(caught.value) == (
        f"ZCC_INGEST_APPS_FILE: cannot read {missing}: No such file or directory"
    )


def test_the_first_reading_of_a_file_that_is_wrong_refuses_to_start(file: Path) -> None:
    write_into(file, '{"sales": ["the-secret-token "]}')
    with pytest.raises(ConfigurationError) as caught:
        ReloadingApps(file, clock=SystemClock(), create_series=create_app_series)
    assert str(caught.value) == (
        "ZCC_INGEST_APPS_FILE: app 'sales' has a secret that is empty or has blanks around it"
    )


async def test_apps_of_the_settings_stay_as_they_are() -> None:
    given = read_apps(old)
    apps = ReloadingApps(given, clock=SystemClock(), create_series=create_app_series)
    hangup = asyncio.Event()
    hangup.set()
    async with asyncio.timeout(HANG_GUARD_S):
        await apps.run(hangup)
    assert apps.current is given


def test_readings_are_counted_from_zero(file: Path) -> None:
    ingest.reloads.clear()
    ReloadingApps(file, clock=SystemClock(), create_series=create_app_series)
    for outcome in ("taken", "unreadable", "wrong"):
        assert REGISTRY.get_sample_value("zcc_ingest_reloads_total", {"outcome": outcome}) == 0


def counters_of(app: str) -> list[float]:
    """Return all that is counted of an app."""
    return [
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.labels.get("app") == app and sample.name.endswith("_total")
    ]


async def test_series_of_an_app_begin_at_zero_and_its_challenge_ends_with_it(file: Path) -> None:
    write_into(file, '{"series-1": ["s-secret-of-series"]}')
    async with following(file) as follower:
        assert all(value == 0 for value in counters_of("series-1"))
        assert len(counters_of("series-1")) > 20
        assert last_challenge("series-1") == 0
        assert last_challenge("series-2") is None
        write_into(file, '{"series-2": ["s-secret-of-series"]}')
        await follower.look()
        assert last_challenge("series-2") == 0
        assert len(counters_of("series-2")) == len(counters_of("series-1"))
        gone = last_challenge("series-1")
        assert gone is not None
        assert math.isnan(gone)
        write_into(file, '{"series-1": ["s-secret-of-series"], "series-2": ["t-secret-of-series"]}')
        await follower.look()
        assert last_challenge("series-1") == 0


async def test_the_challenge_of_an_app_that_stays_is_not_forgotten(file: Path) -> None:
    write_into(file, '{"series-3": ["s-secret-of-series"]}')
    async with following(file) as follower:
        ingest.last_challenge.labels("series-3").set(5)
        write_into(file, '{"series-3": ["t-secret-of-series"], "series-4": ["s-secret-of-series"]}')
        await follower.look()
        assert follower.secrets() == [b"t-secret-of-series", b"s-secret-of-series"]
        assert last_challenge("series-3") == 5


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_signal_of_a_hangup_asks_for_a_reading_and_ends_nothing(
    file: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def followed() -> Apps:
        follower = Following(file)
        with hangup_event() as follower.hangup:
            async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(follower.apps.run(follower.hangup))
                os.kill(os.getpid(), signal.SIGHUP)
                await follower.hangup.wait()
                await follower.look()
                running.cancel()
        return follower.apps.current

    before = reloads("taken")
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(followed())
    assert reloads("taken") == before + 1
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def write(file: Path, content: str) -> None:
    file.write_text(content)


async def test_when_a_secret_was_taken_away_is_remembered_by_the_paths_of_its_app(
    file: Path,
) -> None:
    async with following(file) as follower:
        write(file, new)
        await follower.look()
        assert follower.apps.current.secrets_removed_s == {}
        write(file, '{"sales": ["a-third-secret-of-sales"]}')
        await follower.look()
        taken = follower.apps.current.secrets_removed_s
        assert taken.keys() == {"/webhooks/zoom/sales", "/webhooks/zoom/sales/"}
        write(file, '{"default": ["another-secret-token"]}')
        await follower.look()
        assert follower.apps.current.secrets_removed_s.keys() == taken.keys()
        assert follower.apps.current.secrets_removed_s != taken
