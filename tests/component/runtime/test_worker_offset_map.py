"""Records finished beyond the position are not handled again by the next owner of the partition."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from runtime.handlers.worker import Worker
from runtime.offsets.metadata import OffsetMap, from_committed, to_commit
from runtime.ports import Position
from runtime.sinks.batch_plans import planned
from runtime.values import Delivery, Record, Span
from tests.support.workers import Rig, running, sample, simulated, source, until

skipped, ignored = "zcc_worker_skipped_records_total", "zcc_worker_ignored_maps_total"


class Stuck:
    """A handler on which the records of one key wait until they are released."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.handled: list[int] = []

    async def __call__(self, delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await self.release.wait()
        self.handled.append(delivery.offset)
        return (Record("out", delivery.key, delivery.value),)


def fill(rig: Rig, count: int, *, stuck: Callable[[int], bool]) -> None:
    for n in range(count):
        rig.append(b"%d" % n, key=b"stuck" if stuck(n) else b"%d" % n)


async def acknowledged() -> None:
    """Let what was handled be acknowledged, which takes milliseconds; only then is it done."""
    await asyncio.sleep(1)


@simulated
async def test_a_restart_repeats_only_what_was_not_done() -> None:
    rig = Rig()
    handler, before = Stuck(), sample(skipped)
    fill(rig, 40, stuck=lambda n: n % 10 == 3)
    async with running(Worker(handler, rig.context(drain_timeout_s=0.01))):
        await until(lambda: len(handler.handled) == 36)
        await acknowledged()
    assert rig.position_of(source) == 3
    after = Stuck()
    after.release.set()
    rig.append(b"new")
    async with running(Worker(after, rig.context())):
        await until(lambda: rig.committed[source] == Position(41))
    assert sorted(after.handled) == [3, 13, 23, 33, 40]
    assert sample(skipped) == before + 37 - 4
    assert len(rig.produced()) == 41


@simulated
async def test_a_rebalance_in_the_middle_repeats_only_what_was_not_done() -> None:
    rig = Rig()
    handler = Stuck()
    fill(rig, 30, stuck=lambda n: n == 0)
    async with running(Worker(handler, rig.context(commit_interval_s=60))):
        await until(lambda: len(handler.handled) == 29)
        await acknowledged()
        rig.rebalance()
        await until(lambda: source in rig.committed)
        handler.release.set()
        await until(lambda: len(handler.handled) == 30)
    assert sorted(handler.handled) == list(range(30))
    assert rig.committed[source] == Position(30)


@simulated
async def test_what_is_known_is_kept_by_an_owner_that_has_read_none_of_it_again() -> None:
    rig = Rig()
    fill(rig, 30, stuck=lambda n: n == 0)
    rig.committed[source] = to_commit(OffsetMap((0, 5), 30))
    stuck, after = Stuck(), Stuck()
    context = rig.context(in_flight_records=1, drain_timeout_s=0.01)
    async with running(Worker(stuck, context)):
        await until(lambda: bool(rig.entered) and rig.member.polls > 3)
    assert rig.committed[source] == to_commit(OffsetMap((0, 5), 30))
    after.release.set()
    async with running(Worker(after, rig.context())):
        await until(lambda: rig.committed[source] == Position(30))
    assert stuck.handled + after.handled == [0, 5]


@simulated
async def test_gaps_in_the_log_do_not_shift_what_is_done() -> None:
    rig = Rig()
    for gap in (3, 0, 500, 7, 1):
        rig.broker.leave_gap(source, gap)
        fill(rig, 4, stuck=lambda n: n == 2)
    offsets = [delivery.offset for delivery in rig.broker.log(source)]
    handler, after = Stuck(), Stuck()
    async with running(Worker(handler, rig.context(drain_timeout_s=0.01))):
        await until(lambda: len(handler.handled) == 15)
        await acknowledged()
    after.release.set()
    async with running(Worker(after, rig.context())):
        await until(lambda: rig.committed[source] == Position(offsets[-1] + 1))
    assert after.handled == [offset for offset in offsets if offset not in handler.handled]


@pytest.mark.parametrize(
    "text",
    [
        "somebody's note",
        "done2:AAAAAAAA",
        to_commit(OffsetMap((2,), 10)).metadata[:-4],
        to_commit(OffsetMap((1,), 10)).metadata,
        to_commit(OffsetMap((2,), 11)).metadata,
        planned(Span(2, 5)).metadata,
    ],
    ids=["foreign", "newer", "truncated", "of another position", "beyond the log", "a plan"],
)
@simulated
async def test_a_text_that_is_no_map_of_this_log_is_ignored_and_counted_once(text: str) -> None:
    rig = Rig()
    handler, before = Stuck(), sample(ignored)
    fill(rig, 10, stuck=lambda _: False)
    rig.committed[source] = Position(2, text)
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed[source] == Position(10))
    assert handler.handled == list(range(2, 10))
    assert sample(ignored) == before + 1


@simulated
async def test_what_retention_deleted_is_no_longer_waited_for() -> None:
    rig = Rig()
    handler = Stuck()
    fill(rig, 10, stuck=lambda _: False)
    rig.committed[source] = to_commit(OffsetMap((1, 6), 9))
    rig.broker.delete_before(source, 4)
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed[source] == Position(10))
    assert handler.handled == [6, 9]


@simulated
async def test_so_many_records_done_are_committed_before_the_interval_is_over() -> None:
    rig = Rig()
    handler = Stuck()
    context = rig.context(commit_interval_s=3_600, commit_records=5, in_flight_records=4)
    async with running(Worker(handler, context)):
        fill(rig, 4, stuck=lambda _: False)
        await until(lambda: len(handler.handled) == 4)
        await asyncio.sleep(10)
        assert source not in rig.committed
        fill(rig, 1, stuck=lambda _: False)
        await until(lambda: source in rig.committed)
    assert rig.commits == [{source: Position(5)}]


@simulated
async def test_the_map_that_is_committed_says_what_is_done_at_that_time() -> None:
    rig = Rig()
    handler = Stuck()
    fill(rig, 10, stuck=lambda n: n in {2, 7})
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.position_of(source) == 2)
        await until(lambda: len(handler.handled) == 8)
        await acknowledged()
        done = from_committed(rig.committed[source], log_end=10)
        handler.release.set()
        await until(lambda: rig.committed[source] == Position(10))
    assert done == OffsetMap((2, 7), 10)
