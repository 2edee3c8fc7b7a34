"""The spill of a process in a folder: who is told what, and what is produced in which order."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.spill.local import FolderSegments
from ingest.spill.segment import records_of
from ingest.spill.service import spilling
from ingest.spill.settings import SpillSettings
from ingest.spill.spill import Spill
from ingest.spill.store import SegmentStore
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.values import Record
from tests.support.spill import (
    Broker,
    Fates,
    HurriedClock,
    TroubledStore,
    WatchedDisk,
    deadline_s,
    figure,
    left_in,
    record,
    refused,
    running,
    segments,
    until,
)


@asynccontextmanager
async def troubled(
    folder: Path, broker: Broker, **changes: object
) -> AsyncIterator[tuple[Spill, TroubledStore]]:
    """A spill whose store can be made to fail."""
    made: list[TroubledStore] = []

    def wrap(store: SegmentStore) -> SegmentStore:
        made.append(TroubledStore(store))
        return made[0]

    async with running(folder, broker, waiting=wrap, **changes) as spill:  # type: ignore[arg-type]  # settings
        yield spill, made[0]


async def test_a_record_is_told_kept_once_it_is_in_a_file(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        fates = Fates(spill)
        fates.keep(record("1"))
        assert fates.told == []
        assert await fates.all_told(1) == [None]
        (segment,) = segments(tmp_path)
        assert records_of(segment.read_bytes()) == [record("1")]


async def test_nothing_is_told_kept_before_the_store_has_it(tmp_path: Path) -> None:
    async with troubled(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        fates = Fates(spill)
        fates.keep(record("1"))
        await until(lambda: store.puts == 2)
        assert fates.told == []
        store.open.set()
        assert await fates.all_told(1) == [None]


@pytest.mark.parametrize("held_up", ["fsync .", "rename", "fsync waiting"])
async def test_nothing_is_told_kept_before_fsync_of_its_file_and_of_its_folder(
    tmp_path: Path, held_up: str
) -> None:
    reached, released = threading.Event(), threading.Event()
    armed = False

    def before(call: str) -> None:
        if armed and call.startswith(held_up) and not reached.is_set():
            reached.set()
            released.wait(deadline_s)

    def watched(_: SegmentStore) -> SegmentStore:
        return FolderSegments(tmp_path / "waiting", WatchedDisk(before))

    async with running(tmp_path, Broker(ready=False), waiting=watched, deadline_s=2.9) as spill:
        armed = True
        fates = Fates(spill)
        fates.keep(record("1"))
        await until(reached.is_set)
        assert fates.told == []
        released.set()
        assert await fates.all_told(1) == [None]


async def test_what_comes_while_a_segment_is_written_goes_into_one(tmp_path: Path) -> None:
    async with troubled(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        fates = Fates(spill)
        fates.keep(record("first"))
        await until(lambda: store.puts == 2)
        fates.keep(*(record(str(number)) for number in range(1000)))
        store.open.set()
        assert set(await fates.all_told(1001)) == {None}
        assert [len(records_of(path.read_bytes())) for path in segments(tmp_path)] == [1, 1000]


async def test_large_records_do_not_all_go_into_one_segment(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        fates = Fates(spill)
        fates.keep(*(record("x" * 1024 * 1024) for _ in range(9)))
        await fates.all_told(9)
        assert [len(records_of(path.read_bytes())) for path in segments(tmp_path)] == [4, 4, 1]


async def test_what_is_late_is_told_so_at_its_deadline_though_the_store_hangs(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_failed_events_total")
    async with troubled(tmp_path, Broker(ready=False), deadline_s=0.05) as (spill, store):
        store.open.clear()
        fates = Fates(spill)
        fates.keep(record("being written"), record("too"))
        await until(lambda: store.puts == 2)
        fates.keep(record("waiting"))
        assert all(isinstance(error, TransientError) for error in await fates.all_told(3))
        assert not spill.ready
        store.open.set()
        await until(lambda: spill.ready)
        assert len(fates.told) == 3
        assert store.puts >= 2
    assert figure("zcc_spill_failed_events_total") == before + 3


async def test_what_nobody_waits_for_any_more_is_not_written(tmp_path: Path) -> None:
    async with troubled(tmp_path, Broker(ready=False), deadline_s=0.05) as (spill, store):
        store.open.clear()
        fates = Fates(spill)
        fates.keep(record("being written"))
        await until(lambda: store.puts == 2)
        fates.keep(record("too late"))
        await fates.all_told(2)
        assert not spill._writer._waiting  # nor held, however long the store hangs
        store.open.set()
        while fates.told[-1][1] is not None:  # a busy machine may need several
            fates.keep(record("in time"))
            await fates.all_told(len(fates.told) + 1)
    # Only now: while the spill ran, its probe may have deleted a segment that was just listed.
    written = [found.value for path in segments(tmp_path) for found in contents(path)]
    assert set(written) == {b"being written", b"in time"}


def contents(path: Path) -> list[Record]:
    return records_of(path.read_bytes())


@pytest.mark.parametrize(
    "error",
    [TransientError("no room"), ConfigurationError("read-only"), RuntimeError("a defect")],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_the_store_fails_with_is_told_as_transient(
    tmp_path: Path, error: Exception
) -> None:
    async with troubled(tmp_path, Broker(ready=False)) as (spill, store):
        assert spill.ready
        store.error = error
        fates = Fates(spill)
        fates.keep(record("1"), record("2"))
        assert all(isinstance(told, TransientError) for told in await fates.all_told(2))
        assert not spill.ready
        store.error = None
        await until(lambda: spill.ready)  # it tries by itself: without it no traffic may come
        fates.keep(record("3"))
        assert (await fates.all_told(3))[-1] is None


async def test_beyond_the_bound_nothing_more_is_kept_until_there_is_room(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker, most_bytes=1024 * 1024) as spill:
        fates = Fates(spill)
        fates.keep(record("x" * 1024 * 1024), record("one too many"))
        assert fates.told == []  # later, never within the call
        by_value = dict(fates.told) if await fates.all_told(2) else {}
        assert by_value[b"x" * 1024 * 1024] is None
        assert isinstance(by_value[b"one too many"], TransientError)
        assert not spill.ready
        broker.ready = True
        await until(lambda: spill.ready)
        fates.keep(record("again"))
        assert (await fates.all_told(3))[-1] is None


async def test_the_broker_gets_everything_in_order_when_it_is_back_and_the_files_go(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        fates = Fates(spill)
        for number in range(40):  # more segments than are read at once
            fates.keep(record(str(number)), record(str(number), key=None))
            await fates.all_told(2 * (number + 1))
        assert len(segments(tmp_path)) == 40
        await until(lambda: figure("zcc_spill_waiting_events") == 80)
        assert figure("zcc_spill_waiting_segments") == 40
        assert figure("zcc_spill_oldest_seconds") > 0
        assert figure("zcc_spill_waiting_bytes") == sum(
            path.stat().st_size for path in segments(tmp_path)
        )
        broker.ready = True
        await until(lambda: not segments(tmp_path))
        keyed = [found for found in broker.records if found.key is not None]
        assert keyed == [record(str(number)) for number in range(40)]
        assert len(broker.records) == 80
        await until(lambda: figure("zcc_spill_waiting_segments") == 0)
        assert figure("zcc_spill_waiting_events") == figure("zcc_spill_waiting_bytes") == 0
        assert figure("zcc_spill_oldest_seconds") == 0


async def test_a_broker_that_fails_in_between_gets_the_rest_later_and_nothing_twice(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        fates = Fates(spill)
        fates.keep(
            *(record(f"{key}{n}", key=key.encode()) for n in range(5) for key in ("a", "b", "c"))
        )
        await fates.all_told(15)
        failures = [TransientError("not acknowledged")] * 3
        broker.fails = lambda found: failures.pop() if found.value == b"b2" and failures else None
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == sorted(
        (f"{key}{n}".encode() for key in "abc" for n in range(5)), key=repr
    )
    for key in (b"a", b"b", b"c"):
        found = [value for value in broker.values if value and value.startswith(key)]
        assert found == [key + str(n).encode() for n in range(5)]


class BatchingBroker(Broker):
    """Sends what it has at the same time as one batch; no batch with poison in it is taken."""

    def __init__(self) -> None:
        super().__init__(ready=False)
        self._under_way: set[bytes | None] = set()

    async def publish(self, record: Record) -> None:
        self._under_way.add(record.value)
        await asyncio.sleep(0.01)
        is_alone, is_poisoned = len(self._under_way) == 1, b"poison" in self._under_way
        await asyncio.sleep(0.01)
        self._under_way.discard(record.value)
        if is_poisoned:
            raise refused() if is_alone else TransientError("the batch has failed")
        self.records.append(record)


async def test_what_fails_together_is_published_one_by_one_the_next_time(tmp_path: Path) -> None:
    broker = BatchingBroker()
    async with running(tmp_path, broker) as spill:
        fates = Fates(spill)
        values = ("a", "b", "poison", "c", "d")
        fates.keep(*(record(value, key=value.encode()) for value in values))
        await fates.all_told(5)
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == [b"a", b"b", b"c", b"d"]


async def test_own_records_that_are_held_up_are_not_repeated_while_others_go(
    tmp_path: Path,
) -> None:
    clock, broker = HurriedClock(), Broker()
    mended = False
    broker.fails = lambda found: (
        TransientError("no such topic") if found.value == b"stuck" and not mended else None
    )
    await left_in(tmp_path, [record("own", key=b"o"), record("stuck")], at=clock.now())
    at = clock.now() - timedelta(hours=1)
    await left_in(tmp_path, [record("left")], instance="gone", at=at)
    async with running(tmp_path, broker, clock=clock):
        await until(lambda: len(segments(tmp_path)) == 1)
        mended = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == [b"left", b"own", b"stuck"]


@pytest.mark.long
async def test_a_broker_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    never, asked = asyncio.Event(), asyncio.Event()

    class Hanging(Broker):
        async def publish(self, record: Record) -> None:
            if not asked.is_set():
                asked.set()
                await never.wait()
            await super().publish(record)

    broker = Hanging()
    await left_in(tmp_path, [record("1")], at=HurriedClock().now())
    async with running(tmp_path, broker):
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1"]


async def test_what_was_produced_but_could_not_be_deleted_is_not_produced_again(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with troubled(tmp_path, broker) as (spill, store):
        fates = Fates(spill)
        fates.keep(record("1"), record("2"))
        await fates.all_told(2)
        store.error = TransientError("no answer")
        broker.ready = True
        await until(lambda: len(broker.records) == 2)
        listings = store.listings
        await until(lambda: store.listings > listings)
        store.error = None
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1", b"2"]


async def test_a_defect_while_draining_ends_nothing(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        fates = Fates(spill)
        fates.keep(record("1"))
        await fates.all_told(1)
        failures: list[Exception] = [RuntimeError("a defect")]
        broker.fails = lambda _: failures.pop() if failures else None
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1"]


async def test_a_process_that_begins_anew_produces_what_it_had_kept_before(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        fates = Fates(spill)
        fates.keep(record("before"))
        await fates.all_told(1)
    broker = Broker()
    async with running(tmp_path, broker):
        await until(lambda: broker.records)
    assert broker.records == [record("before")]


async def test_what_is_kept_while_a_process_ends_is_told(tmp_path: Path) -> None:
    async with troubled(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        fates = Fates(spill)
        fates.keep(record("being written"))
        await until(lambda: store.puts == 2)
        fates.keep(record("waiting"))
    assert all(isinstance(error, TransientError) for error in await fates.all_told(2))


async def test_what_another_process_has_left_is_produced_after_a_quarter_of_an_hour(
    tmp_path: Path,
) -> None:
    clock, broker = HurriedClock(), Broker()
    now = clock.now()
    await left_in(tmp_path, [record("old")], instance="gone", at=now - timedelta(minutes=16))
    young = await left_in(tmp_path, [record("young")], instance="lives", at=now)
    async with running(tmp_path, broker, clock=clock):
        await until(lambda: broker.values == [b"old"])
        await until(lambda: [path.name for path in segments(tmp_path)] == [young])
        clock.later = timedelta(minutes=16)
        await until(lambda: broker.values == [b"old", b"young"])
        await until(lambda: not segments(tmp_path))


async def test_what_others_have_left_waits_for_the_broker_and_shows_its_age(tmp_path: Path) -> None:
    at = HurriedClock().now() - timedelta(hours=1)
    path = tmp_path / "waiting" / await left_in(tmp_path, [record("1")], instance="gone", at=at)
    broker = Broker(ready=False)
    async with running(tmp_path, broker):
        await until(lambda: figure("zcc_spill_oldest_seconds") >= 3600)
        assert figure("zcc_spill_waiting_events") == 0  # its own
        path.unlink()  # whose it is lives, and has produced it
        broker.ready = True
        await until(lambda: figure("zcc_spill_oldest_seconds") == 0)
    assert broker.records == []


async def test_what_the_broker_never_takes_is_set_aside_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_set_aside_total")
    broker = Broker(ready=False)
    broker.fails = lambda found: refused() if found.value == b"too large" else None
    async with running(tmp_path, broker) as spill:
        fates = Fates(spill)
        fates.keep(record("1"), record("too large"), record("2"))
        await fates.all_told(3)
        broker.ready = True
        await until(lambda: not segments(tmp_path))
        assert broker.values == [b"1", b"2"]
        (aside,) = segments(tmp_path, "refused")
        assert contents(aside) == [record("too large")]
    assert figure("zcc_spill_set_aside_total") == before + 1


async def test_what_is_torn_or_foreign_is_told_once_stays_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_set_aside_total")
    at = HurriedClock().now()
    torn = await left_in(tmp_path, [record("torn")], at=at)
    path = tmp_path / "waiting" / torn
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "waiting" / "notes.txt").write_text("of somebody")
    await left_in(tmp_path, [record("whole")], at=at + timedelta(seconds=1))
    broker = Broker()
    async with troubled(tmp_path, broker) as (spill, store):
        await until(lambda: broker.values == [b"whole"])
        await until(lambda: store.listings > 1)
        fates = Fates(spill)
        fates.keep(record("more"))
        await until(lambda: broker.values == [b"whole", b"more"])
        await until(lambda: {p.name for p in segments(tmp_path)} == {torn, "notes.txt"})
    assert figure("zcc_spill_set_aside_total") == before + 2


async def test_a_store_that_refuses_at_the_start_is_the_operators_fault(tmp_path: Path) -> None:
    def refusing(store: SegmentStore) -> SegmentStore:
        troubled_store = TroubledStore(store)
        troubled_store.error = ConfigurationError("ZCC_SPILL_URL: no")
        return troubled_store

    with pytest.raises(ConfigurationError, match="ZCC_SPILL_URL"):
        async with running(tmp_path, Broker(), waiting=refusing):
            pass


async def test_a_store_that_does_not_answer_at_the_start_is_waited_for(tmp_path: Path) -> None:
    made: list[TroubledStore] = []

    def silent(store: SegmentStore) -> SegmentStore:
        made.append(TroubledStore(store))
        made[0].error = TransientError("no answer")
        return made[0]

    async with running(tmp_path, Broker(), waiting=silent) as spill:
        assert not spill.ready
        made[0].error = None
        await until(lambda: spill.ready)


async def test_a_store_that_cannot_be_written_is_still_drained(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with troubled(tmp_path, broker) as (spill, store):
        fates = Fates(spill)
        fates.keep(record("1"))
        await fates.all_told(1)
        store.error = TransientError("no room")
        fates.keep(record("2"))
        await fates.all_told(2)
        broker.ready = True
        await until(lambda: broker.values == [b"1"])


async def test_settings_without_a_place_make_no_spill() -> None:
    async with spilling(
        SpillSettings(url=""),
        instance="pod-0",
        produce_deadline_s=2.9,
        publisher=Broker(),
        clock=SystemClock(),
    ) as spill:
        assert spill is None


async def test_settings_with_a_place_make_a_spill_that_keeps(tmp_path: Path) -> None:
    async with spilling(
        SpillSettings(url=f"file://{tmp_path}"),
        instance="pod-0",
        produce_deadline_s=2.0,
        publisher=Broker(),
        clock=SystemClock(),
    ) as spill:
        assert spill is not None
        assert spill.ready


async def test_deadlines_that_zoom_would_not_wait_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ZCC_SPILL_DEADLINE_S"):
        async with spilling(
            SpillSettings(url=f"file://{tmp_path}"),
            instance="pod-0",
            produce_deadline_s=2.5,
            publisher=Broker(),
            clock=SystemClock(),
        ):
            pass
