"""`zcc spill list` and `zcc spill drain`, on a folder and a real broker."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ingest.spill.segment import segment_of
from ingest.spill.store import open_stores
from operations.spill.command import produce, spill_app
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec
from tests.support.kafka_records import records_of
from tests.support.spill import HurriedClock, put_segment, record, segments, settings_of

at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def topic(kafka_settings: KafkaSettings) -> str:
    return f"{kafka_settings.topic_prefix}.spilled"


@pytest.fixture
async def environment(kafka_settings: KafkaSettings, topic: str, tmp_path: Path) -> dict[str, str]:
    """Of a folder, and of a broker with a topic for records of a kilobyte and no more."""
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(topic, 1, 1, "delete", 86_400_000, max_message_bytes=1024)])
    return {
        "ZCC_SPILL_URL": f"file://{tmp_path}",
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
    }


def spill(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(spill_app, arguments, env=environment)


def put(
    folder: Path, *records: Record, instance: str = "pod-0", after_s: int = 0, refused: bool = False
) -> None:
    at_ms = int((at + timedelta(seconds=after_s)).timestamp() * 1000)
    segment = segment_of(records, at_ms=at_ms, instance=instance)
    places = open_stores(settings_of(folder), successor_of=instance)
    place = places.refused if refused else places.waiting
    asyncio.run(place.put(str(segment.name), segment.content))


def values(kafka: KafkaSettings, topic: str) -> Sequence[bytes | None]:
    async def read() -> list[bytes | None]:
        return [delivery.value for delivery in await records_of(kafka, [topic])]

    return asyncio.run(read())


def test_a_listing_shows_what_waits_and_what_was_refused_oldest_first(tmp_path: Path) -> None:
    put(tmp_path, record("1"), record("2"), instance="pod-1")
    put(tmp_path, record("3"), instance="pod-1", after_s=9)
    put(tmp_path, record("4"), instance="pod-0", after_s=5)
    put(tmp_path, record("5"), instance="pod-0", refused=True)
    (tmp_path / "waiting" / "notes.txt").touch()
    sizes = [path.stat().st_size for path in segments(tmp_path)]
    (aside,) = segments(tmp_path, "refused")
    done = spill("list", ZCC_SPILL_URL=f"file://{tmp_path}")
    assert done.exit_code == 0
    since = "since 2026-01-02T03:04:05Z"
    assert done.output.splitlines() == [
        f"waiting  pod-1  2 segments  3 events  {sizes[0] + sizes[2]} bytes  {since}",
        f"waiting  pod-0  1 segments  1 events  {sizes[1]} bytes  since 2026-01-02T03:04:10Z",
        "waiting  notes.txt: not the name of a segment",
        f"refused  pod-0  1 segments  1 events  {aside.stat().st_size} bytes  {since}",
    ]


def test_a_listing_of_nothing_says_so(tmp_path: Path) -> None:
    open_stores(settings_of(tmp_path), successor_of="pod-0")
    assert spill("list", ZCC_SPILL_URL=f"file://{tmp_path}").output == "nothing waits\n"


def test_without_a_place_there_is_nothing_to_list() -> None:
    assert isinstance(spill("list", ZCC_SPILL_URL="").exception, ConfigurationError)


def test_a_folder_that_is_not_there_is_not_taken_for_empty(tmp_path: Path) -> None:
    done = spill("list", ZCC_SPILL_URL=f"file://{tmp_path}/mistyped")
    assert isinstance(done.exception, ConfigurationError)
    assert "No such file" in str(done.exception)


def test_a_dry_run_lists_and_leaves_everything(tmp_path: Path) -> None:
    put(tmp_path, record("1"))
    done = spill("drain", "--dry-run", ZCC_SPILL_URL=f"file://{tmp_path}")
    assert done.exit_code == 1
    assert "pod-0  1 segments" in done.output
    assert len(segments(tmp_path)) == 1


def test_a_dry_run_with_nothing_to_do_is_content(tmp_path: Path) -> None:
    open_stores(settings_of(tmp_path), successor_of="pod-0")
    assert spill("drain", "--dry-run", ZCC_SPILL_URL=f"file://{tmp_path}").exit_code == 0


def test_draining_produces_what_all_processes_kept_in_order_and_leaves_nothing(
    tmp_path: Path, environment: dict[str, str], kafka_settings: KafkaSettings, topic: str
) -> None:
    for number in (3, 1, 0, 2):
        some = record(f"{number}", topic=topic), record(f"{number}b", topic=topic)
        put(tmp_path, *some, instance=f"pod-{number % 2}", after_s=number)
    done = spill("drain", **environment)
    assert done.exit_code == 0, done.output
    assert "8 events produced, 0 refused, 0 segments unreadable" in done.output
    assert values(kafka_settings, topic) == [b"0", b"0b", b"1", b"1b", b"2", b"2b", b"3", b"3b"]
    assert segments(tmp_path) == []


def test_what_is_refused_still_or_unreadable_stays_and_is_reported_by_the_exit_code(
    tmp_path: Path, environment: dict[str, str], kafka_settings: KafkaSettings, topic: str
) -> None:
    large = random.Random(1).randbytes(2048).hex()  # compression does not make it fit
    small = [record("small", key=f"{number}".encode(), topic=topic) for number in range(9)]
    put(tmp_path, *small[:5], record(large, topic=topic), *small[5:])
    (tmp_path / "waiting" / "notes.txt").touch()
    for _ in range(2):
        done = spill("drain", **environment)
        assert done.exit_code == 1
        assert "1 refused" in done.output
        assert [path.name for path in segments(tmp_path)] == ["notes.txt"]
        assert len(segments(tmp_path, "refused")) == 1
    assert values(kafka_settings, topic) == [b"small"] * 9


def test_what_was_refused_before_is_produced_once_the_broker_takes_it(
    tmp_path: Path, environment: dict[str, str], kafka_settings: KafkaSettings, topic: str
) -> None:
    put(tmp_path, record("now it may", topic=topic), refused=True)
    done = spill("drain", **environment)
    assert done.exit_code == 0, done.output
    assert values(kafka_settings, topic) == [b"now it may"]
    assert segments(tmp_path, "refused") == []


def test_what_is_for_a_topic_that_does_not_exist_stays_and_the_rest_goes(
    tmp_path: Path, environment: dict[str, str], kafka_settings: KafkaSettings, topic: str
) -> None:
    put(tmp_path, record("1", topic=topic), record("2", topic=f"{topic}.missing"))
    done = spill("drain", **environment)
    assert isinstance(done.exception, TransientError)
    assert "zcc topics apply" in str(done.exception)
    assert len(segments(tmp_path)) == 1
    assert values(kafka_settings, topic) == [b"1"]


async def test_without_a_broker_everything_stays(tmp_path: Path) -> None:
    name = await put_segment(tmp_path, [record("1")], at=at)
    with pytest.raises(TransientError, match="Kafka does not answer"):
        await produce(
            open_stores(settings_of(tmp_path)),
            KafkaSettings(bootstrap_servers="127.0.0.1:1"),
            HurriedClock(),
        )
    assert [path.name for path in segments(tmp_path)] == [name]
