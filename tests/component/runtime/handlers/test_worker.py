"""Worker over a broker in memory: the order of each key, nothing lost, positions."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random

import pytest

from runtime.handlers.worker import Worker
from runtime.ports import Position
from runtime.values import Delivery, Record
from tests.support.workers import (
    Rig,
    copied,
    first_seen_in_order,
    other,
    running,
    sample,
    simulated,
    source,
    until,
)


@simulated
async def test_keys_run_concurrently_and_each_key_in_order() -> None:
    rig = Rig()
    running_keys: set[bytes] = set()
    most_at_once = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal most_at_once
        assert delivery.key is not None
        assert delivery.key not in running_keys
        running_keys.add(delivery.key)
        most_at_once = max(most_at_once, len(running_keys))
        for _ in range(delivery.offset % 4):
            await asyncio.sleep(0)
        running_keys.remove(delivery.key)
        return copied(delivery)

    for n in range(300):
        rig.append(b"%d" % n, key=b"key%d" % (n % 7))
    async with running(Worker(handler, rig.context())):
        await until(lambda: len(rig.produced()) == 300)
        await until(lambda: rig.committed.get(source) == Position(300))
    assert most_at_once > 1
    by_key = defaultdict(list)
    for record in rig.produced():
        by_key[record.key].append(int(record.value or b""))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


@simulated
async def test_a_position_never_passes_a_record_that_is_not_done() -> None:
    rig = Rig()
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.offset == 2:
            await release.wait()
        return copied(delivery)

    for n in range(10):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.position_of(source) == 2)
        await until(lambda: len(rig.produced()) == 9)
        assert rig.position_of(source) == 2
        release.set()
        await until(lambda: rig.committed[source] == Position(10))


@simulated
async def test_gaps_in_the_log_are_no_obstacle() -> None:
    rig = Rig()
    for gap in (3, 3, 12):
        rig.broker.leave_gap(source, gap)
        rig.append(b"x")
    handled = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        handled.append(delivery.offset)
        return ()

    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(21))
    assert handled == [3, 7, 20]


@pytest.mark.parametrize("seed", range(5))
@simulated
async def test_nothing_is_lost_when_the_worker_dies_at_any_moment(seed: int) -> None:
    rig = Rig(partitions=2)
    for n in range(120):
        rig.append(b"%d" % n, key=b"key%d" % (n % 5), to=source if n % 5 < 3 else other)
    rng = Random(seed)
    deaths = 0
    life: asyncio.Future[None]

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal deaths
        if deaths < 5 and rng.random() < 0.05:
            deaths += 1
            life.cancel()
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        return copied(delivery)

    context = rig.context(concurrency=3, commit_interval_s=0.0001, in_flight_records=10)
    while len(set(rig.values())) < 120:
        life = asyncio.ensure_future(Worker(handler, context).run(asyncio.Event()))
        await until(lambda ended=life.done: ended() or len(set(rig.values())) == 120)
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
    assert deaths >= 2
    assert first_seen_in_order(rig.values(), key_of=lambda number: number % 5)


@simulated
async def test_a_rebalance_loses_nothing_and_keeps_the_order_of_each_key() -> None:
    rig = Rig(partitions=2)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(0.001)
        return copied(delivery)

    for n in range(200):
        rig.append(b"%d" % n, key=b"key%d" % (n % 4), to=source if n % 2 else other)
    context = rig.context(concurrency=4, in_flight_records=20)
    async with running(Worker(handler, context)):
        await until(lambda: len(rig.produced()) > 30)
        async with running(Worker(handler, context)):
            await until(lambda: len(rig.produced()) > 90)
        await until(lambda: len(set(rig.values())) == 200)
        await until(lambda: rig.committed == {source: Position(100), other: Position(100)})
    assert first_seen_in_order(rig.values(), key_of=lambda number: number % 4)
    assert len(rig.produced()) <= 200 + 3 * 20


@simulated
async def test_a_late_completion_of_a_lost_partition_is_ignored_and_counted() -> None:
    rig = Rig()
    release = asyncio.Event()
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        if calls == 1:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue  # does not let itself be cancelled
        return ()

    rig.append(b"slow")
    before = sample("zcc_worker_late_total")
    async with running(Worker(handler, rig.context())):
        await until(lambda: calls == 1)
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(1))
        assert calls == 2
        rig.append(b"next")
        release.set()
        await until(lambda: sample("zcc_worker_late_total") == before + 1)
        await until(lambda: rig.committed[source] == Position(2))


@simulated
async def test_retention_that_was_faster_moves_the_start() -> None:
    rig = Rig()
    rig.committed[source] = Position(3)
    rig.broker.leave_gap(source, 10)
    rig.broker.delete_before(source, 10)
    rig.append(b"ten")

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed[source] == Position(11))
    assert rig.values() == [b"ten"]
