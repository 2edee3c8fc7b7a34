"""Health of ingest, on its own port: of a single process, or of all processes of a parent.

Each process knows whether a webhook sent to it now is likely to be stored. A single process answers
probes itself. One of several writes its state into a pipe ten times a second, and the parent, which
reads the pipe, answers for all. A process whose loop is blocked falls silent there; a probe through
the shared port would reach one of the others most of the time.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Final, cast

from ingest.metrics import metrics
from runtime.clock import Clock

health_setting: Final = "ZCC_INGEST_HEALTH"
"""The prefix of the variables of its address."""

_report_timeout_s: Final = 30.0
"""A process may report nothing for this long: it starts in seconds, then reports at each tick."""


class Readiness(IntEnum):
    """Whether a webhook sent now is likely to be stored, and why not; one byte in a pipe."""

    READY = 0
    STARTING = 1
    BROKER = 2
    STOPPING = 3


_not_connected: Final = asyncio.ReadTransport()
"""Stands for the transport until `ReportReader.connection_made`."""

_reasons: Final = {
    Readiness.READY: None,
    Readiness.STARTING: "starting",
    Readiness.BROKER: "no broker acknowledges and no spill keeps",
    Readiness.STOPPING: "stopping",
}


class Health:
    """The readiness of this process, which ``check`` returns once the server has set it.

    ``pipe`` is a file descriptor whose other end the parent reads; None without a parent.
    """

    def __init__(self, pipe: int | None = None) -> None:
        self.check: Callable[[], Readiness] = lambda: Readiness.STARTING
        self._pipe = pipe
        if pipe is not None:
            os.set_blocking(pipe, False)

    def readiness_problem(self) -> str | None:
        """Return why it is not ready, None if it is."""
        return _reasons[self.check()]

    def tick(self) -> None:
        """Report the current state; call it several times a second."""
        state = self.check()
        metrics.ready.set(state is Readiness.READY)
        if self._pipe is not None:
            # A full pipe is read later. A broken one has no reader: the parent has ended.
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(self._pipe, bytes([state]))


class Reports:
    """The last report of each process of a parent, by its number."""

    def __init__(self, numbers: range, *, clock: Clock, stopping: asyncio.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._states = dict.fromkeys(numbers, Readiness.STARTING)
        self._reported_s: dict[int, float] = {}
        self._were_all_ready = False

    def started(self, number: int) -> None:
        """Expect reports of a process from now on."""
        self.reported(number, Readiness.STARTING)

    def reported(self, number: int, state: Readiness) -> None:
        """Store a report."""
        self._states[number] = state
        self._reported_s[number] = self._clock.monotonic_s()
        if state is Readiness.READY and not self._were_all_ready:
            self._were_all_ready = set(self._states.values()) == {Readiness.READY}

    def ended(self, number: int) -> None:
        """Expect nothing until the process is started again; the others continue meanwhile."""
        self._states[number] = Readiness.STARTING
        self._reported_s.pop(number, None)

    def liveness_problem(self) -> str | None:
        """Return which process has reported nothing for too long, None if none has."""
        now_s = self._clock.monotonic_s()
        for number, reported_s in self._reported_s.items():
            if now_s - reported_s > _report_timeout_s:
                return f"process {number} has reported nothing for {now_s - reported_s:.0f} s"
        return None

    def readiness_problem(self) -> str | None:
        """Return why a webhook sent to any of the processes may not be stored.

        A starting process gets no connections yet, so it counts only until all were ready once.
        """
        if self._stopping.is_set():
            return _reasons[Readiness.STOPPING]
        states = self._states.items()
        waited_for = [
            (number, state)
            for number, state in states
            if not (state is Readiness.READY or self._is_excused(state))
        ]
        if waited_for:
            number, state = waited_for[0]
            return f"process {number}: {_reasons[state]}"
        if all(state is not Readiness.READY for _, state in states):
            return "no process is up"
        return self.liveness_problem()

    def _is_excused(self, state: Readiness) -> bool:
        return self._were_all_ready and state is Readiness.STARTING


class ReportReader(asyncio.Protocol):
    """Reads the pipe of one process."""

    def __init__(self, reports: Reports, number: int) -> None:
        self._reports = reports
        self._number = number
        self._transport = _not_connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect reports; called by the loop."""
        self._transport = cast("asyncio.ReadTransport", transport)
        self._reports.started(self._number)

    def data_received(self, data: bytes) -> None:
        """Store the newest report; called by the loop."""
        self._reports.reported(self._number, Readiness(data[-1]))

    def close(self) -> None:
        """Read no more."""
        self._transport.close()
        self._reports.ended(self._number)
