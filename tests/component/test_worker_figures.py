"""What a worker tells of itself: lag, records in flight, failures."""

import asyncio
from collections.abc import Sequence

from runtime.errors import TransientError
from runtime.ports import Position
from runtime.values import Delivery, Record
from runtime.worker import Worker
from tests.component.worker_rig import Rig, running, sample, simulated, source, until


@simulated
async def test_figures_follow_what_is_read_and_done() -> None:
    rig, release = Rig(partitions=2), asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await release.wait()
        return ()

    rig.append(b"1", b"2", b"3")
    done = sample("zcc_worker_records_total")
    async with running(Worker(handler, rig.surroundings())):
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


@simulated
async def test_a_lag_that_cannot_be_asked_for_stops_nothing() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    rig.failures["log_ends"] = [TransientError("no answer")]
    rig.append(b"1")
    errors = sample("zcc_worker_errors_total")
    async with running(Worker(handler, rig.surroundings())):
        await until(lambda: rig.committed.get(source) == Position(1))
        await until(lambda: sample("zcc_worker_errors_total") == errors + 1, every_s=0.5)
