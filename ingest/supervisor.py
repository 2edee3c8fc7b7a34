"""Several processes of ingest on one port, and the parent that keeps them.

The parent answers no webhook. It holds the port, so that nobody else takes it, and runs its own
command line once for each place; there a process listens for itself with SO_REUSEPORT, and the
kernel spreads connections over all that do (docs/decisions/0007). For the health and the metrics of
all it answers itself, on another port. A process that ends is started again, after a delay that
grows while it does not last. SIGHUP is passed on, SIGINT and SIGTERM are passed on as SIGTERM,
which drains. Whatever ends the parent ends the processes: killed, it cannot tell them, so they ask
the kernel to (`runtime.process.parent_death`).
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
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.process.health import serving_health
from runtime.process.metrics_exposition import SharedMetrics, shared_metrics
from runtime.process.parent_death import end_with_parent
from runtime.process.signals import hangup_event, stop_event

_parent_variable: Final = "ZCC_INGEST_PARENT"
"""Tells a process of whom it is one, by process id."""
_number_variable: Final = "ZCC_INGEST_PROCESS"
"""Tells it which one: a number that is its alone, and that of its successor."""
_pipe_variable: Final = "ZCC_INGEST_PIPE"
"""Tells it the file descriptor that its health is reported to."""

_close_s: Final = 3.0
"""A process needs so long, at the most, to close its publisher after its last answer."""
_first_delay_s: Final = 0.1
_longest_delay_s: Final = 10.0
_lasting_s: Final = 10.0
"""A process that lived so long did not die of how it was started."""

_drained: Final = frozenset({0, -signal.SIGTERM})
"""SIGTERM ends a process only before it listens: later it is an event like others."""
_settings_are_wrong: Final = 2
"""The exit code of `zcc` for what only the operator can mend."""

_log = structlog.get_logger()


def own_command() -> tuple[str, ...]:
    """Return the command line that this process was started with."""
    return (sys.executable, *sys.orig_argv[1:])


@dataclass(frozen=True, slots=True)
class Followed:
    """The parent of a process: which of its processes this is, and the pipe to report health to.

    The number is the same after a restart.
    """

    number: int
    pipe: int


def follow_parent() -> Followed | None:
    """End with the parent, and name this process in its logs, where `run_processes` started it.

    Returns None where it is the only process.
    """
    if _parent_variable not in os.environ:
        return None
    end_with_parent(int(os.environ[_parent_variable]))
    number = int(os.environ[_number_variable])
    structlog.contextvars.bind_contextvars(process=number)
    return Followed(number, int(os.environ[_pipe_variable]))


async def run_processes(settings: IngestSettings, command: Sequence[str], *, clock: Clock) -> int:
    """Keep as many processes as ``settings.workers`` says until SIGTERM or SIGINT, then drain them.

    ``command`` starts one of them; it has to call `follow_parent`. Returns the exit code: 0 where
    all have drained, 2 where the first in a place found its settings wrong, else 1.

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
        environment = {
            **os.environ,
            "ZCC_INGEST_PORT": str(port),
            "ZCC_INGEST_WORKERS": str(settings.workers),
            _parent_variable: str(os.getpid()),
        }
        reports = Reports(range(settings.workers), clock=clock, stopping=stopping)
        drain_s = settings.unready_s + settings.drain_timeout_s + _close_s
        places = [
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
                drain_s=drain_s,
                clock=clock,
            )
            for number in range(settings.workers)
        ]
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
            async with asyncio.TaskGroup() as tasks:
                hangups = tasks.create_task(_pass_on(hangup, places))
                runs = [tasks.create_task(place.keep(stopping)) for place in places]
                await asyncio.wait(runs)
                hangups.cancel()
        return max(run.result() for run in runs)


class _Slot:
    """One of the processes, whichever it is now."""

    def __init__(  # noqa: PLR0913 - a command, and what its processes share
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

    async def keep(self, stopping: asyncio.Event) -> int:
        """Have a process here until ``stopping`` is set; return the exit code that follows.

        It sets ``stopping`` where the very first finds its settings wrong. Later ones are tried for
        ever: the others go on with the settings that were right.
        """
        deaths = 0
        while not stopping.is_set():
            began_s = self._clock.monotonic_s()
            exit_code = await self._run(stopping)
            self._shared.ended(self._number)
            if stopping.is_set():
                return 0 if exit_code in _drained else 1
            lasted = self._clock.monotonic_s() - began_s > _lasting_s
            if exit_code == _settings_are_wrong and deaths == 0 and not lasted:
                stopping.set()
                return exit_code
            deaths = 1 if lasted else deaths + 1
            self._shared.count(metrics.restarts)
            delay_s = _delay_s(deaths)
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

    async def _run(self, stopping: asyncio.Event) -> int | None:
        """Run one process until it ends; return its exit code, None where it cannot be started."""
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
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(self._drain(process, stopping))
            exit_code = await process.wait()
            draining.cancel()
        return exit_code

    async def _drain(self, process: Process, stopping: asyncio.Event) -> None:
        await stopping.wait()
        with suppress(ProcessLookupError):
            process.terminate()
            await self._clock.sleep(self._drain_s)
            _log.error("process killed: it did not drain", process=self._number)
            process.kill()


async def _pass_on(hangup: asyncio.Event, places: Sequence[_Slot]) -> None:
    while True:
        await hangup.wait()
        hangup.clear()
        for place in places:
            place.hang_up()


def _delay_s(deaths: int) -> float:
    """Return how long to wait after so many deaths in a row."""
    return min(_longest_delay_s, _first_delay_s * 2.0 ** min(deaths - 1, 10))
