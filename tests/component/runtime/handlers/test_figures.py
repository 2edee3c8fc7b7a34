"""The metrics of a worker: lag, records in flight, failures."""

import asyncio
from collections.abc import Collection, Sequence

from prometheus_client import REGISTRY

from runtime.errors import ConfigurationError, TransientError
from runtime.handlers.worker import Worker
from runtime.ports import Position
from runtime.values import Assignment, Delivery, Record, TopicPartition
from tests.support.workers import Rig, other, running, sample, simulated, source, until


@simulated
async def test_figures_follow_what_is_read_and_done() -> None:
    rig, release = Rig(partitions=2), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await release.wait()
        return ()

    rig.append(b"1", b"2", b"3")
    done = sample("zcc_worker_records_total")
    async with running(Worker(handler, rig.context())):
        await until(lambda: sample("zcc_worker_in_flight_records") == 3, every_s=0.5)
        await until(lambda: sample("zcc_worker_lag_records") == 3, every_s=0.5)
        assert sample("zcc_worker_assigned_partitions") == 2
        await until(lambda: sample("zcc_worker_oldest_unfinished_seconds") >= 20, every_s=0.5)
        release.set()
        await until(lambda: sample("zcc_worker_lag_records") == 0, every_s=0.5)
        assert sample("zcc_worker_in_flight_records") == 0
        assert sample("zcc_worker_oldest_unfinished_seconds") == 0
        assert rig.committed[source] == Position(3)
    assert sample("zcc_worker_records_total") == done + 3
    assert sample("zcc_worker_assigned_partitions") == 0


@simulated
async def test_who_has_left_with_records_in_flight_shows_none() -> None:
    rig, started = Rig(), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        started.set()
        await asyncio.Event().wait()
        return ()

    rig.append(b"1", b"2")
    async with running(Worker(handler, rig.context())):
        await started.wait()
        await until(lambda: sample("zcc_worker_in_flight_records") == 2, every_s=0.5)
    assert sample("zcc_worker_in_flight_records") == 0
    assert sample("zcc_worker_oldest_unfinished_seconds") == 0


@simulated
async def test_a_lag_that_cannot_be_read_stops_nothing() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    rig.failures["log_ends"] = [
        TransientError("no answer"),
        ConfigurationError("may not ask"),
        IndexError("a defect"),
    ]
    rig.append(b"1")
    errors = sample("zcc_worker_errors_total")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))
        await until(lambda: sample("zcc_worker_errors_total") == errors + 3, every_s=0.5)


class Idle:
    """A listener that does nothing."""

    async def revoked(self, partitions: Collection[TopicPartition]) -> None: ...

    async def assigned(self, assignment: Assignment) -> None: ...


def lag_of(partition: TopicPartition, unit: str) -> float | None:
    """One series, None where there is none."""
    wanted = {"worker": "test", "topic": partition.topic, "partition": str(partition.partition)}
    return REGISTRY.get_sample_value(f"zcc_worker_lag_{unit}", wanted)


@simulated
async def test_lag_is_reported_for_each_partition_in_records_and_by_the_age_of_the_oldest() -> None:
    rig, release = Rig(partitions=2), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.source == source:
            await release.wait()
        return ()

    rig.append(b"1", b"2")
    rig.append(b"3", to=other, key=b"other")
    async with running(Worker(handler, rig.context())):
        await until(lambda: (lag_of(source, "seconds") or 0) >= 30, every_s=0.5)
        assert lag_of(source, "records") == 2
        assert lag_of(other, "records") == lag_of(other, "seconds") == 0
        release.set()
        await until(lambda: lag_of(source, "seconds") == 0, every_s=0.5)
        assert lag_of(source, "records") == 0


@simulated
async def test_the_age_of_what_was_not_read_counts_from_when_it_was_first_seen() -> None:
    rig, release = Rig(partitions=2), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await release.wait()
        return ()

    rig.append(b"1")
    async with running(Worker(handler, rig.context(in_flight_records=1))):
        await until(lambda: (lag_of(source, "records") or 0) == 1, every_s=0.5)
        rig.append(b"2", to=other, key=b"other")
        await until(lambda: (lag_of(other, "seconds") or 0) >= 20, every_s=0.5)
        assert (lag_of(source, "seconds") or 0) > (lag_of(other, "seconds") or 0)
        release.set()
        await until(lambda: lag_of(other, "seconds") == 0, every_s=0.5)
        release.clear()
        rig.append(b"3")
        await until(lambda: (lag_of(source, "records") or 0) == 1, every_s=0.5)
        rig.append(b"4", to=other, key=b"other")
        await until(lambda: (lag_of(other, "records") or 0) == 1, every_s=0.5)
        assert (lag_of(other, "seconds") or 0) <= 5
        release.set()


@simulated
async def test_a_worker_reports_no_lag_of_partitions_that_it_does_not_own_any_more() -> None:
    rig = Rig(partitions=2)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    async with running(Worker(handler, rig.context())):
        await until(lambda: lag_of(source, "records") == lag_of(other, "records") == 0, every_s=0.5)
        async with rig.connect(Idle()) as second:
            while len(rig.member.reading_at) > 1:
                await second.poll(max_records=1, timeout_s=0.5)
            await until(
                lambda: None in {lag_of(source, "records"), lag_of(other, "records")}, every_s=0.5
            )
    assert lag_of(source, "seconds") is lag_of(other, "seconds") is None
