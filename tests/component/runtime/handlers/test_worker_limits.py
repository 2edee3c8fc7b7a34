"""Worker over a broker in memory: what bounds its work, its readiness and its drain."""

import asyncio
from collections.abc import Collection, Sequence

from runtime.handlers.worker import Worker
from runtime.ports import Position
from runtime.values import Assignment, Delivery, Record, TopicPartition
from tests.support.workers import Rig, copied, other, running, simulated, source, until


@simulated
async def test_draining_finishes_what_is_in_flight_and_commits_it() -> None:
    rig = Rig()
    started = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal started
        started += 1
        await asyncio.sleep(0.02)
        return copied(delivery)

    rig.append(b"1", b"2", b"3")
    async with running(Worker(handler, rig.context(commit_interval_s=60))) as stopping:
        await until(lambda: started == 1)
        stopping.set()
    assert rig.values() == [b"1", b"2", b"3"]
    assert rig.committed[source] == Position(3)
    assert rig.group.members == []


@simulated
async def test_draining_is_bounded_and_leaves_the_rest_to_the_next_owner() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await asyncio.Event().wait()
        return copied(delivery)

    rig.append(b"1", key=b"a")
    rig.append(b"2", key=b"stuck")
    rig.append(b"3", key=b"b")
    async with running(Worker(handler, rig.context(drain_timeout_s=0.05))):
        await until(lambda: len(rig.produced()) == 2)
    assert rig.position_of(source) == 1


@simulated
async def test_a_worker_that_is_full_pauses_and_stays_a_member() -> None:
    rig = Rig()
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    for n in range(10):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, rig.context(in_flight_records=4))):
        await until(lambda: bool(rig.entered and rig.member.paused))
        assert held == 4
        release.set()
        await until(lambda: len(rig.produced()) == 10)
        assert rig.member.paused == set()


@simulated
async def test_a_full_measure_of_bytes_stops_polling_too() -> None:
    rig = Rig()
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    rig.append(b"x" * 2000)
    async with running(Worker(handler, rig.context(in_flight_bytes=1024))):
        await until(lambda: held == 1)
        rig.append(b"y", key=b"second")
        await until(lambda: bool(rig.member.paused))
        assert held == 1
        release.set()
        await until(lambda: len(rig.produced()) == 2)


@simulated
async def test_a_partition_whose_position_stands_still_is_paused_before_too_much_is_beyond_it() -> (
    None
):
    rig = Rig(partitions=2)
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await release.wait()
        return copied(delivery)

    rig.append(b"0", key=b"stuck")
    for n in range(1, 100):
        rig.append(b"%d" % n, key=b"%d" % n)
        rig.append(b"%d" % n, key=b"%d" % n, to=other)
    async with running(Worker(handler, rig.context(in_flight_records=2))):
        await until(lambda: rig.committed.get(other) == Position(99))
        assert rig.member.paused == {source}
        assert sum(record.key != b"stuck" for record in rig.produced()) <= 99 + 20 + 2
        release.set()
        await until(lambda: rig.committed.get(source) == Position(100))


@simulated
async def test_a_worker_is_ready_once_it_has_an_assignment() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    worker = Worker(handler, rig.context())
    assert worker.readiness_problem() == "waits for partitions"
    assert worker.liveness_problem() is None
    async with running(worker):
        await until(lambda: worker.readiness_problem() is None)
        rig.broker.down = True
        assert worker.readiness_problem() == "waits for brokers that acknowledge"
        rig.broker.down = False
    assert worker.readiness_problem() == "waits for partitions"


@simulated
async def test_a_worker_that_is_stopped_before_it_has_an_assignment_ends_at_once() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    async with rig.connect(Deaf()):  # never polls, so the group waits for it
        async with running(Worker(handler, rig.context(commit_interval_s=0.0001))):
            await until(lambda: len(rig.entered) == 2 and rig.member.polls > 3)
        assert len(rig.group.members) == 1
    assert rig.commits == []


class Deaf:
    async def revoked(self, partitions: Collection[TopicPartition]) -> None: ...

    async def assigned(self, assignment: Assignment) -> None: ...
