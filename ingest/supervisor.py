"""Several processes of ingest on one port, and the parent that supervises them.

The parent answers no webhook. It holds the port, so that no other program takes it, and runs its
own command line once for each slot. The processes listen with SO_REUSEPORT, and the kernel spreads
connections over them (docs/decisions/0007). The parent serves the health and the metrics of all on
another port. It restarts a process that ends, after a delay that grows until one is stable. It
passes on SIGHUP, and SIGINT and SIGTERM as SIGTERM, which drains. The processes end with their
parent: if it is killed, the kernel signals them (`runtime.process.parent_death`).
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from ingest.health import ReportReader, Reports, health_setting
from ingest.listen_socket import held_port
from ingest.metrics import metrics
from ingest.settings import IngestSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.process.health import serving_health
from runtime.process.metrics_exposition import SharedMetrics, shared_metrics
from runtime.process.parent_death import end_with_parent
from runtime.process.signals import hangup_event, stop_event
from runtime.retries.policy import doubled_delay_s

_parent_variable: Final = "ZCC_INGEST_PARENT"
"""The process id of the parent."""
_number_variable: Final = "ZCC_INGEST_PROCESS"
"""The number of the slot, the same after a restart."""
_pipe_variable: Final = "ZCC_INGEST_PIPE"
"""The file descriptor to which a process reports its health."""

_close_s: Final = 3.0
"""Longest time for a process to close its publisher after its last response."""
_first_delay_s: Final = 0.1
_max_delay_s: Final = 10.0
_stable_after_s: Final = 10.0
"""A process that lived this long did not fail because of its start."""

_drained: Final = frozenset({0, -signal.SIGTERM})
"""SIGTERM ends a process only before it listens: later it is an event like others."""
_settings_are_wrong: Final = 2
"""The exit code of `zcc` for an error that only the operator can correct."""

_log = structlog.get_logger()


def own_command() -> tuple[str, ...]:
    """Return the command line that this process was started with."""
    return (sys.executable, *sys.orig_argv[1:])


@dataclass(frozen=True, slots=True)
class ParentLink:
    """How a process belongs to its parent: the number of its slot, and the pipe for its health."""

    number: int
    pipe: int


def follow_parent() -> ParentLink | None:
    """End with the parent, and name this process in its logs.

    Returns None if `run_processes` did not start this process.
    """
    if _parent_variable not in os.environ:
        return None
    end_with_parent(int(os.environ[_parent_variable]))
    number = int(os.environ[_number_variable])
    structlog.contextvars.bind_contextvars(process=number)
    return ParentLink(number, int(os.environ[_pipe_variable]))


async def run_processes(settings: IngestSettings, command: Sequence[str], *, clock: Clock) -> int:
    """Run ``settings.workers`` processes until SIGTERM or SIGINT, then drain them.

    ``command`` starts one of them; it has to call `follow_parent`. Returns the exit code: 0 if all
    have drained, 2 if the first of a slot found its settings wrong, else 1.

    Raises:
        ConfigurationError: an address cannot be listened on, or this is not Linux.
    """
    if sys.platform != "linux":
        raise ConfigurationError("ZCC_INGEST_WORKERS: more than 1 needs Linux")
    with (
        held_port(settings) as port,
        shared_metrics() as shared,
        stop_event() as stopping,
        hangup_event() as hangup,
    ):
        reports = Reports(range(settings.workers), clock=clock, stopping=stopping)
        slots = _slots(settings, command, port, shared=shared, reports=reports, clock=clock)
        async with serving_health(
            settings.health_host,
            settings.health_port,
            alive=reports.liveness_problem,
            ready=reports.readiness_problem,
            setting=health_setting,
            exposed=shared.exposition,
        ) as health_port:
            _log.info("health listening", host=settings.health_host, port=health_port)
            _log.info("starting", processes=settings.workers, port=port)
            async with BackgroundTasks() as background, asyncio.TaskGroup() as tasks:
                background.start(_pass_on(hangup, slots))
                runs = [tasks.create_task(slot.run(stopping)) for slot in slots]
        return max(run.result() for run in runs)


def _slots(
    settings: IngestSettings,
    command: Sequence[str],
    port: int,
    *,
    shared: SharedMetrics,
    reports: Reports,
    clock: Clock,
) -> list["_Slot"]:
    environment = {
        **os.environ,
        "ZCC_INGEST_PORT": str(port),
        "ZCC_INGEST_WORKERS": str(settings.workers),
        _parent_variable: str(os.getpid()),
    }
    return [
        _Slot(
            number,
            command=command,
            environment={
                **environment,
                **shared.environment(number),
                _number_variable: str(number),
            },
            shared=shared,
            reports=reports,
            drain_s=settings.unready_s + settings.drain_timeout_s + _close_s,
            clock=clock,
        )
        for number in range(settings.workers)
    ]


class _Slot:
    """One of the processes, and its successors."""

    def __init__(  # noqa: PLR0913 - a command, and what the slots share
        self,
        number: int,
        *,
        command: Sequence[str],
        environment: dict[str, str],
        shared: SharedMetrics,
        reports: Reports,
        drain_s: float,
        clock: Clock,
    ) -> None:
        self._number = number
        self._command = command
        self._environment = environment
        self._shared = shared
        self._reports = reports
        self._drain_s = drain_s
        self._clock = clock
        self._process: Process | None = None

    async def run(self, stopping: asyncio.Event) -> int:
        """Run a process until ``stopping`` is set, and restart it; return the exit code.

        It sets ``stopping`` if the very first process finds its settings wrong. A later one is
        restarted forever, because the other slots continue with the settings that were right.
        """
        failures = 0
        while not stopping.is_set():
            began_s = self._clock.monotonic_s()
            exit_code = await self._run_once(stopping)
            self._shared.ended(self._number)
            if stopping.is_set():
                return 0 if exit_code in _drained else 1
            was_stable = self._clock.monotonic_s() - began_s > _stable_after_s
            if exit_code == _settings_are_wrong and failures == 0 and not was_stable:
                stopping.set()
                return exit_code
            failures = 1 if was_stable else failures + 1
            self._shared.count(metrics.restarts)
            delay_s = doubled_delay_s(failures, first_s=_first_delay_s, limit_s=_max_delay_s)
            _log.error(
                "process ended, is started again",
                process=self._number,
                exit_code=exit_code,
                delay_s=delay_s,
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await stopping.wait()
        return 0

    def hang_up(self) -> None:
        """Send SIGHUP."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)

    async def _run_once(self, stopping: asyncio.Event) -> int | None:
        """Run a process until it ends; return its exit code, None if it cannot be started."""
        read_end, write_end = os.pipe()
        reader = ReportReader(self._reports, self._number)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: reader, os.fdopen(read_end, "rb", buffering=0)
        )
        try:
            return await self._run_reporting(write_end, stopping)
        except OSError as error:
            _log.error("process cannot be started", process=self._number, reason=error.strerror)
            return None
        finally:
            os.close(write_end)
            reader.close()

    async def _run_reporting(self, pipe: int, stopping: asyncio.Event) -> int:
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**self._environment, _pipe_variable: str(pipe)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(pipe,),
            start_new_session=True,  # Ctrl-C in a terminal is the parent's to pass on
        )
        async with BackgroundTasks() as background:
            background.start(self._drain(process, stopping))
            return await process.wait()

    async def _drain(self, process: Process, stopping: asyncio.Event) -> None:
        await stopping.wait()
        with suppress(ProcessLookupError):
            process.terminate()
            await self._clock.sleep(self._drain_s)
            _log.error("process killed: it did not drain", process=self._number)
            process.kill()


async def _pass_on(hangup: asyncio.Event, slots: Sequence[_Slot]) -> None:
    while True:
        await hangup.wait()
        hangup.clear()
        for slot in slots:
            slot.hang_up()
