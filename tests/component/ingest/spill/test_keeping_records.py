"""The spill of a process in a folder: who learns when that a record is stored."""

import threading
from pathlib import Path

import pytest

from ingest.spill.local import FolderSegments
from ingest.spill.segment import records_of
from ingest.spill.store import SegmentStore
from runtime.errors import ConfigurationError, TransientError
from tests.support.spill import (
    Broker,
    Outcomes,
    WatchedDisk,
    contents,
    deadline_s,
    figure,
    record,
    running,
    running_with_failing_store,
    segments,
    until,
)


async def test_a_record_is_reported_as_kept_once_it_is_in_a_file(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        assert outcomes.settled == []
        assert await outcomes.all_settled(1) == [None]
        (segment,) = segments(tmp_path)
        assert records_of(segment.read_bytes()) == [record("1")]


async def test_nothing_is_reported_as_kept_before_the_store_has_it(tmp_path: Path) -> None:
    async with running_with_failing_store(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        await until(lambda: store.puts == 2)
        assert outcomes.settled == []
        store.open.set()
        assert await outcomes.all_settled(1) == [None]


@pytest.mark.parametrize("held_up", ["fsync .", "rename", "fsync waiting"])
async def test_nothing_is_reported_as_kept_before_fsync_of_its_file_and_of_its_folder(
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
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        await until(reached.is_set)
        assert outcomes.settled == []
        released.set()
        assert await outcomes.all_settled(1) == [None]


async def test_what_comes_while_a_segment_is_written_goes_into_one(tmp_path: Path) -> None:
    async with running_with_failing_store(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        outcomes = Outcomes(spill)
        outcomes.store(record("first"))
        await until(lambda: store.puts == 2)
        outcomes.store(*(record(str(number)) for number in range(1000)))
        store.open.set()
        assert set(await outcomes.all_settled(1001)) == {None}
        assert [len(records_of(path.read_bytes())) for path in segments(tmp_path)] == [1, 1000]


async def test_large_records_do_not_all_go_into_one_segment(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(*(record("x" * 1024 * 1024) for _ in range(9)))
        await outcomes.all_settled(9)
        assert [len(records_of(path.read_bytes())) for path in segments(tmp_path)] == [4, 4, 1]


async def test_a_late_record_is_reported_at_its_deadline_though_the_store_hangs(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_failed_events_total")
    async with running_with_failing_store(tmp_path, Broker(ready=False), deadline_s=0.05) as (
        spill,
        store,
    ):
        store.open.clear()
        outcomes = Outcomes(spill)
        outcomes.store(record("being written"), record("too"))
        await until(lambda: store.puts == 2)
        outcomes.store(record("waiting"))
        assert all(isinstance(error, TransientError) for error in await outcomes.all_settled(3))
        assert not spill.ready
        store.open.set()
        await until(lambda: spill.ready)
        assert len(outcomes.settled) == 3
        assert store.puts >= 2
    assert figure("zcc_spill_failed_events_total") == before + 3


async def test_what_nobody_waits_for_any_more_is_not_written(tmp_path: Path) -> None:
    async with running_with_failing_store(tmp_path, Broker(ready=False), deadline_s=0.05) as (
        spill,
        store,
    ):
        store.open.clear()
        outcomes = Outcomes(spill)
        outcomes.store(record("being written"))
        await until(lambda: store.puts == 2)
        outcomes.store(record("too late"))
        await outcomes.all_settled(2)
        assert not spill._writer._waiting  # nor held, however long the store hangs
        store.open.set()
        while outcomes.settled[-1][1] is not None:  # a busy machine may need several
            outcomes.store(record("in time"))
            await outcomes.all_settled(len(outcomes.settled) + 1)
    # Only now: while the spill ran, its probe may have deleted a segment that was just listed.
    written = [each.value for path in segments(tmp_path) for each in contents(path)]
    assert set(written) == {b"being written", b"in time"}


@pytest.mark.parametrize(
    "error",
    [TransientError("no room"), ConfigurationError("read-only"), RuntimeError("a defect")],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_the_store_fails_with_is_raised_as_transient(
    tmp_path: Path, error: Exception
) -> None:
    async with running_with_failing_store(tmp_path, Broker(ready=False)) as (spill, store):
        assert spill.ready
        store.error = error
        outcomes = Outcomes(spill)
        outcomes.store(record("1"), record("2"))
        assert all(isinstance(outcome, TransientError) for outcome in await outcomes.all_settled(2))
        assert not spill.ready
        store.error = None
        await until(lambda: spill.ready)  # it tries by itself: without it no traffic may come
        outcomes.store(record("3"))
        assert (await outcomes.all_settled(3))[-1] is None


async def test_beyond_the_bound_nothing_more_is_kept_until_there_is_room(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker, max_bytes=1024 * 1024) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(record("x" * 1024 * 1024), record("one too many"))
        assert outcomes.settled == []  # later, never within the call
        by_value = dict(outcomes.settled) if await outcomes.all_settled(2) else {}
        assert by_value[b"x" * 1024 * 1024] is None
        assert isinstance(by_value[b"one too many"], TransientError)
        assert not spill.ready
        broker.ready = True
        await until(lambda: spill.ready)
        outcomes.store(record("again"))
        assert (await outcomes.all_settled(3))[-1] is None


async def test_what_is_kept_while_a_process_ends_is_reported(tmp_path: Path) -> None:
    async with running_with_failing_store(tmp_path, Broker(ready=False)) as (spill, store):
        store.open.clear()
        outcomes = Outcomes(spill)
        outcomes.store(record("being written"))
        await until(lambda: store.puts == 2)
        outcomes.store(record("waiting"))
    assert all(isinstance(error, TransientError) for error in await outcomes.all_settled(2))
