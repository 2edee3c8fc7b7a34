"""OffsetTracker against a list: the position never passes an unfinished offset."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from runtime.offsets import OffsetTracker


class TrackerMachine(RuleBasedStateMachine):
    running = Bundle("running")

    @initialize(start=st.integers(min_value=0, max_value=10**12))
    def begin(self, start: int) -> None:
        self.start = self.next = start
        self.log: list[int] = []
        self.unfinished: set[int] = set()
        self.tracker = OffsetTracker(start)
        self.last_position = start

    @rule(target=running, gap=st.integers(min_value=0, max_value=3))
    def read(self, gap: int) -> int:
        offset = self.next + gap
        self.tracker.started(offset)
        self.log.append(offset)
        self.unfinished.add(offset)
        self.next = offset + 1
        return offset

    @rule(offset=consumes(running))
    def finish(self, offset: int) -> None:
        self.tracker.finished(offset)
        self.unfinished.remove(offset)

    @rule(back=st.integers(min_value=1, max_value=5))
    def reading_backwards_is_refused(self, back: int) -> None:
        with pytest.raises(ValueError, match="expected an offset from"):
            self.tracker.started(self.next - back)

    @rule(offset=st.integers(min_value=-3, max_value=3))
    def finishing_what_does_not_run_is_refused(self, offset: int) -> None:
        if self.next + offset not in self.unfinished:
            with pytest.raises(ValueError, match="not being handled"):
                self.tracker.finished(self.next + offset)

    @invariant()
    def position_is_the_first_unfinished_offset_or_the_next(self) -> None:
        position = self.tracker.position
        assert position == min(self.unfinished, default=self.next)
        assert position >= self.last_position
        assert self.tracker.spread == sum(offset >= position for offset in self.log)
        self.last_position = position


TestTracker = TrackerMachine.TestCase
TestTracker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
