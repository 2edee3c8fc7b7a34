"""What a worker tells of itself: lag, records in flight, failures."""

import asyncio
from collections.abc import Sequence

from runtime import telemetry
from runtime.errors import TransientError
from runtime.ports import Position
from runtime.values import Delivery, Record
from runtime.worker import Worker
from tests.component.worker_rig import (
    MemoryBroker,
    SteppedClock,
    other,
    running,
    source,
    surroundings,
    until,
)


def sample(name: str) -> float:
    return telemetry.total(telemetry.exposition(), name)


class EagerClock(SteppedClock):
    """Sleeps of any length are short."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(min(delay_s, 0.002))


async def test_figures_follow_what_is_read_and_done() -> None:
    broker, clock, release = MemoryBroker(source, other), EagerClock(), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await release.wait()
        return ()

    broker.append(b"1", b"2", b"3")
    done = sample("zcc_worker_records_total")
    async with running(Worker(handler, surroundings(broker, clock=clock))):
        await until(lambda: sample("zcc_worker_in_flight_records") == 3)
        await until(lambda: sample("zcc_worker_lag_records") == 3)
        assert sample("zcc_worker_assigned_partitions") == 2
        clock.ahead_s += 60
        await until(lambda: sample("zcc_worker_oldest_unfinished_seconds") >= 60)
        release.set()
        await until(lambda: sample("zcc_worker_lag_records") == 0)
        await until(lambda: sample("zcc_worker_in_flight_records") == 0)
        await until(lambda: sample("zcc_worker_oldest_unfinished_seconds") == 0)
        await until(lambda: broker.committed.get(source) == Position(3))
    assert sample("zcc_worker_records_total") == done + 3


async def test_a_lag_that_cannot_be_asked_for_stops_nothing() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    broker.failures["log_ends"] = [TransientError("no answer")]
    broker.append(b"1")
    errors = sample("zcc_worker_errors_total")
    async with running(Worker(handler, surroundings(broker, clock=EagerClock()))):
        await until(lambda: broker.committed.get(source) == Position(1))
        await until(lambda: sample("zcc_worker_errors_total") == errors + 1)
