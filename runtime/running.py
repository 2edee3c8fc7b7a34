"""Runs a worker as a process: its tables, health and signals, and a halt that lasts."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from runtime import metrics
from runtime.errors import RestartNeededError
from runtime.process.gc_tuning import tune_gc
from runtime.process.health import serving_health
from runtime.process.signals import stop_event
from runtime.tables.following import FollowedTables
from runtime.worker.membership import MembershipContext

log = structlog.get_logger()


class Work(Protocol):
    """A worker: that of a handler, of a sink or of a poller."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then drain."""
        ...

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed; None where it should not."""
        ...

    def readiness_problem(self) -> str | None:
        """Return what keeps it from working now; None where nothing does."""
        ...

    def remarks(self) -> str | None:
        """Return what an operator should know of it although it is ready."""
        ...


async def run_work(
    make: Callable[[], Work],
    context: MembershipContext,
    tables: FollowedTables,
    *,
    new_objects: int,
) -> None:
    """Make the worker once its tables have caught up, and run it until SIGTERM or SIGINT.

    It does not wait for tables that make no progress. ``new_objects`` is for `tune_gc`.

    Raises:
        ConfigurationError: the health address is taken, or the worker had halted before it was
            stopped; the process must not end with 0.
    """
    settings, probes = context.settings, _Probes(tables)
    halted = metrics.worker.halted.labels(context.name)
    metrics.process.started.labels(context.name).set(context.clock.now().timestamp())
    with stop_event() as stopping:
        tune_gc(new_objects)
        log.info("started", worker=context.name)
        async with (
            serving_health(
                settings.health_host,
                settings.health_port,
                alive=probes.liveness_problem,
                ready=probes.readiness_problem,
                remarks=probes.remarks,
            ),
            tables,
        ):
            await tables.wait(stopping, without_progress_s=settings.tables_wait_s)
            probes.work = work = make()
            try:
                await work.run(stopping)
            except RestartNeededError as error:
                probes.halted_by = str(error)
                halted.set(1)
                log.error("halted", worker=context.name, reason=probes.halted_by)  # noqa: TRY400 - no defect
                await stopping.wait()
                raise
    log.info("stopped", worker=context.name)


class _Probes:
    """What the health endpoint answers with.

    A worker that needs a restart stays, not ready, until it is stopped: an orchestrator would start
    it again at once, and each new one would do the same harm. It also continues serving the metric
    that raises the alarm.
    """

    def __init__(self, tables: FollowedTables) -> None:
        self.work: Work | None = None
        self.halted_by: str | None = None
        self._tables = tables

    def liveness_problem(self) -> str | None:
        return None if self.halted_by or self.work is None else self.work.liveness_problem()

    def readiness_problem(self) -> str | None:
        if self.work is None:
            return self._tables.readiness_problem() or "waits for its tables"
        own = self.halted_by or self.work.readiness_problem()
        return own or self._tables.readiness_problem()

    def remarks(self) -> str | None:
        own = None if self.work is None else self.work.remarks()
        return "\n".join(filter(None, (own, self._tables.remarks()))) or None
