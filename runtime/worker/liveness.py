"""The state behind a worker's probes: whether it is alive, and whether it is ready."""

from collections.abc import Collection
from typing import Final

from runtime.clock import Clock
from runtime.offsets.unfinished import OldestUnfinished
from runtime.values import TopicPartition
from runtime.worker.failing_steps import FailingSteps

stuck_after_s: Final = 300.0
"""Longer than all time limits of clients: an older call or poll will never end."""

_assignment: Final = "partitions"
_timeout_s: Final = 10.0
"""A step without any success for this long makes a worker unready."""
_harmless_stages: Final = frozenset({"handle", "lag", "fetch"})
"""Steps whose failures keep the worker ready: other keys or feeds continue, or only a metric is
missing."""
_steady_s: Final = 5.0
"""A worker that had halted counts as repaired once it has been ready for this long."""


class Liveness:
    """The source of liveness and readiness. With ``waits_for`` None the worker is ready.

    Kafka's health is not part of liveness, because a restart would not repair it. A worker with
    some partitions paused by the guard is ready: the other partitions continue, and the rollout of
    the repaired release must not wait for it.
    """

    def __init__(self, clock: Clock, steps: FailingSteps | None = None) -> None:
        self.unfinished = OldestUnfinished()
        self._clock = clock
        self._steps = steps or FailingSteps()
        self._turned_s = clock.monotonic_s()
        self._calls: dict[int, float] = {}
        self._entered_count = 0
        self._waits_for: str | None = _assignment
        self._ready_since_s = 0.0
        self._halted_by: str | None = None
        self._owned: frozenset[TopicPartition] = frozenset()
        self._paused: dict[TopicPartition, str] = {}

    @property
    def waits_for(self) -> str | None:
        """What keeps the worker from working now; None where nothing does."""
        return self._waits_for

    @waits_for.setter
    def waits_for(self, what: str | None) -> None:
        if what is None and self._waits_for is not None:
            self._ready_since_s = self._clock.monotonic_s()
        self._waits_for = what

    def heartbeat(self) -> None:
        """Note that the loop runs."""
        self._turned_s = self._clock.monotonic_s()

    def entered(self) -> int:
        """Note that a call into a handler or a sink begins; pass the result to `left`."""
        self._entered_count += 1
        self._calls[self._entered_count] = self._clock.monotonic_s()
        return self._entered_count

    def left(self, call: int) -> None:
        """Note that the call ended."""
        del self._calls[call]

    def lost(self) -> None:
        """Note that no partition is owned any more."""
        self.waits_for = _assignment
        self._owned = frozenset()
        self._paused.clear()

    def owns(self, partitions: Collection[TopicPartition]) -> None:
        """Note the partitions that are read from now on."""
        self._owned = frozenset(partitions)
        self._paused.clear()
        self.waits_for = None

    def paused(self, source: TopicPartition, why: str) -> None:
        """Note that the guard has paused a partition until it is assigned again."""
        self._paused[source] = why

    @property
    def paused_count(self) -> int:
        """How many partitions the guard has paused."""
        return len(self._paused)

    def halted(self, why: str) -> None:
        """Note that the work has stopped until an operator acts."""
        self._halted_by = why

    @property
    def is_halted(self) -> bool:
        """Whether the work has halted and has not been ready long enough since."""
        if self._halted_by is not None and self._waits_for is None:
            ready_s = self._clock.monotonic_s() - self._ready_since_s
            if ready_s >= _steady_s:
                self._halted_by = None
        return self._halted_by is not None

    def liveness_problem(self) -> str | None:
        """Return why the process will never work again; None where loop and calls progress."""
        now_s = self._clock.monotonic_s()
        if now_s - self._turned_s >= stuck_after_s:
            return f"the loop has stood still for {now_s - self._turned_s:.0f} s"
        oldest_s = min(self._calls.values(), default=now_s)
        if now_s - oldest_s >= stuck_after_s:
            return f"a call has been running for {now_s - oldest_s:.0f} s"
        return None

    def readiness_problem(self) -> str | None:
        """Return what keeps it from working now; None where nothing does."""
        if self.is_halted:
            return f"halted, looks again: {self._halted_by}"
        now_s = self._clock.monotonic_s()
        if self._waits_for is not None:
            lines = "; ".join(each.describe(now_s) for each in self._steps.failing(now_s))
            return f"waits for {self._waits_for}" + (f": {lines}" if lines else "")
        if self._owned and self._owned == self._paused.keys():
            return f"all its partitions are paused: {next(iter(self._paused.values()))}"
        lasting = self._steps.failing(now_s, at_least_s=_timeout_s)
        hindering = [each.describe(now_s) for each in lasting if each.stage not in _harmless_stages]
        return "; ".join(hindering) or None

    def remarks(self) -> str | None:
        """Return what an operator should know of a worker although it is ready."""
        now_s = self._clock.monotonic_s()
        lasting = self._steps.failing(now_s, at_least_s=_timeout_s)
        lines = [each.describe(now_s) for each in lasting if each.stage in _harmless_stages]
        lines += [
            f"paused {source.topic}/{source.partition}: {why}"
            for source, why in sorted(self._paused.items())
        ]
        return "\n".join(lines) or None
