"""What a parent answers for its processes, by what they report through their pipes."""

import asyncio
import os

from ingest.health import Health, Readiness, ReportReader, Reports
from runtime.clock import SystemClock
from tests.support.patience import HANG_GUARD_S


class SetClock(SystemClock):
    """Shows what it is set to."""

    now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s


def reports_of(count: int) -> tuple[Reports, SetClock, asyncio.Event]:
    clock, stopping = SetClock(), asyncio.Event()
    reports = Reports(range(count), clock=clock, stopping=stopping)
    for number in range(count):
        reports.started(number)
    return reports, clock, stopping


async def test_all_have_to_be_ready_before_the_first_connection_comes() -> None:
    reports, _, _ = reports_of(2)
    assert reports.readiness_problem() == "process 0: starting"
    reports.reported(0, Readiness.READY)
    assert reports.readiness_problem() == "process 1: starting"
    reports.reported(1, Readiness.READY)
    assert reports.readiness_problem() is None


async def test_one_that_is_started_again_leaves_the_others_ready() -> None:
    reports, _, _ = reports_of(2)
    for number in range(2):
        reports.reported(number, Readiness.READY)
    reports.ended(0)
    assert reports.readiness_problem() is None
    reports.started(0)
    assert reports.readiness_problem() is None
    reports.ended(1)
    assert reports.readiness_problem() == "no process is up"


async def test_one_that_cannot_keep_a_webhook_takes_readiness_away() -> None:
    reports, _, stopping = reports_of(2)
    for number in range(2):
        reports.reported(number, Readiness.READY)
    reports.reported(1, Readiness.BROKER)
    assert reports.readiness_problem() == "process 1: no broker acknowledges and no spill keeps"
    stopping.set()
    assert reports.readiness_problem() == "stopping"


async def test_one_that_falls_silent_is_neither_alive_nor_ready_until_it_reports_again() -> None:
    reports, clock, _ = reports_of(2)
    clock.now_s += 20
    reports.reported(0, Readiness.READY)
    reports.reported(1, Readiness.READY)
    clock.now_s += 20
    reports.reported(0, Readiness.READY)
    assert reports.liveness_problem() is None
    clock.now_s += 11
    assert reports.liveness_problem() == "process 1 has reported nothing for 31 s"
    assert reports.readiness_problem() == reports.liveness_problem()
    reports.reported(1, Readiness.READY)
    assert reports.liveness_problem() is reports.readiness_problem() is None


async def test_a_process_reports_through_its_pipe_and_a_parent_that_is_gone_is_no_error() -> None:
    reports, _, _ = reports_of(1)
    read_end, write_end = os.pipe()
    reader = ReportReader(reports, 0)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: reader, os.fdopen(read_end, "rb", buffering=0)
    )
    health = Health(write_end)
    health.tick()
    assert health.readiness_problem() == "starting"
    health.check = lambda: Readiness.READY
    health.tick()
    async with asyncio.timeout(HANG_GUARD_S):
        while reports.readiness_problem() is not None:
            await asyncio.sleep(0.001)
    for _ in range(100_000):
        health.tick()  # a pipe that is full
    reader.close()
    async with asyncio.timeout(HANG_GUARD_S):
        while reports.readiness_problem() is None:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    health.tick()
    os.close(write_end)
