"""Health of ingest, on a port of its own: of the one process, or of all that a parent keeps.

Each process knows whether a webhook sent to it now is likely to be kept. Alone, it answers probes
itself. One of several writes it into a pipe ten times a second instead, and the parent, which holds
the other end, answers for all: a process whose loop stands still falls silent there, while a probe
through the shared port would meet the others most of the time.
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
"""What the variables of its address begin with."""

_silent_s: Final = 30.0
"""So long may a process report nothing: it starts in seconds and then reports at each tick."""


class Readiness(IntEnum):
    """Whether a webhook sent now is likely to be kept, and why not; one byte in a pipe."""

    READY = 0
    STARTING = 1
    BROKER = 2
    STOPPING = 3


_reasons: Final = {
    Readiness.READY: None,
    Readiness.STARTING: "starting",
    Readiness.BROKER: "no broker acknowledges and no spill keeps",
    Readiness.STOPPING: "stopping",
}


class Health:
    """Whether this process is ready: ``check`` says it, once the server has set it.

    ``pipe`` is the end that a parent reads, a file descriptor; None without a parent.
    """

    def __init__(self, pipe: int | None = None) -> None:
        self.check: Callable[[], Readiness] = lambda: Readiness.STARTING
        self._pipe = pipe
        if pipe is not None:
            os.set_blocking(pipe, False)

    def readiness_problem(self) -> str | None:
        """Return the reason, None where it is ready."""
        return _reasons[self.check()]

    def tick(self) -> None:
        """Show the present state; to be called all the while."""
        state = self.check()
        metrics.ready.set(state is Readiness.READY)
        if self._pipe is not None:
            # A full pipe is read later, a broken one by nobody: the parent has ended.
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(self._pipe, bytes([state]))


class Reports:
    """What a parent's processes last reported, by their numbers."""

    def __init__(self, numbers: range, *, clock: Clock, stopping: asyncio.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._states = dict.fromkeys(numbers, Readiness.STARTING)
        self._heard_s: dict[int, float] = {}
        self._were_all_ready = False

    def started(self, number: int) -> None:
        """Expect reports of a process from now on."""
        self.heard(number, Readiness.STARTING)

    def heard(self, number: int, state: Readiness) -> None:
        """Take a report."""
        self._states[number] = state
        self._heard_s[number] = self._clock.monotonic_s()
        if state is Readiness.READY and not self._were_all_ready:
            self._were_all_ready = set(self._states.values()) == {Readiness.READY}

    def ended(self, number: int) -> None:
        """Expect nothing until it was started again; the others go on meanwhile."""
        self._states[number] = Readiness.STARTING
        self._heard_s.pop(number, None)

    def liveness_problem(self) -> str | None:
        """Return which process has reported nothing for too long, None where all have."""
        now_s = self._clock.monotonic_s()
        for number, heard_s in self._heard_s.items():
            if now_s - heard_s > _silent_s:
                return f"process {number} has reported nothing for {now_s - heard_s:.0f} s"
        return None

    def readiness_problem(self) -> str | None:
        """Return why a webhook sent to any of the processes may not be kept.

        One that starts gets no connections yet, so it counts only until all were ready once.
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
    """Reads one process's end of its pipe."""

    def __init__(self, reports: Reports, number: int) -> None:
        self._reports = reports
        self._number = number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect reports; called by the loop."""
        self._transport = cast("asyncio.ReadTransport", transport)
        self._reports.started(self._number)

    def data_received(self, data: bytes) -> None:
        """Take the newest of what came; called by the loop."""
        self._reports.heard(self._number, Readiness(data[-1]))

    def close(self) -> None:
        """Read no more."""
        self._transport.close()
        self._reports.ended(self._number)
