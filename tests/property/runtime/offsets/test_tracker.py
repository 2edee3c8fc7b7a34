"""OffsetTracker against a log: nothing unfinished is passed, nothing done is handed out again."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from runtime.offsets.metadata import OffsetMap, from_committed, to_commit
from runtime.offsets.tracker import OffsetTracker


class TrackerMachine(RuleBasedStateMachine):
    """Several owners after each other read one log, of which records vanish in between."""

    running = Bundle("running")

    @initialize(start=st.integers(min_value=0, max_value=10**12))
    def begin(self, start: int) -> None:
        self.log: list[int] = []
        self.log_end = start
        self.ever_done: set[int] = set()
        self.life = 0
        self.last_position = start
        self._own(OffsetMap((), start))

    def _own(self, known: OffsetMap) -> None:
        self.known = known
        self.life += 1
        self.tracker = OffsetTracker(known)
        self.next = known.position
        self.unfinished: set[int] = set()
        self.handed_out = 0

    @rule(gaps=st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=5))
    def append(self, gaps: list[int]) -> None:
        for gap in gaps:
            self.log.append(self.log_end + gap)
            self.log_end = self.log[-1] + 1

    @rule(target=running)
    def read(self) -> tuple[int, int]:
        ahead = [offset for offset in self.log if offset >= self.next]
        if not ahead:
            return self.life, -1
        offset, self.next = ahead[0], ahead[0] + 1
        done_before = offset < self.known.end and offset not in self.known.unfinished
        assert self.tracker.started(offset) is not done_before
        if done_before:
            assert offset in self.ever_done
            return self.life, -1
        self.unfinished.add(offset)
        return self.life, offset

    @rule(ran=consumes(running))
    def finish(self, ran: tuple[int, int]) -> None:
        life, offset = ran
        if life == self.life and offset >= 0:
            self.tracker.finished(offset)
            self.unfinished.remove(offset)
            self.ever_done.add(offset)

    @rule()
    def another_owner_goes_on_with_what_is_committed(self) -> None:
        self._own(from_committed(to_commit(self.tracker.done), log_end=self.log_end))

    @rule(pick=st.integers(0, 5))
    def compaction_removes_one(self, pick: int) -> None:
        ahead = [offset for offset in self.log if offset >= self.next]
        if pick < len(ahead):
            self.log.remove(ahead[pick])

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
    def everything_before_the_position_is_done_and_it_never_goes_back(self) -> None:
        position = self.tracker.position
        assert position >= self.last_position
        self.last_position = position
        for offset in self.log:
            assert offset >= position or offset in self.ever_done

    @invariant()
    def the_map_holds_exactly_what_is_done(self) -> None:
        done = self.tracker.done
        assert done.position == self.tracker.position
        assert list(done.unfinished) == sorted(set(done.unfinished))
        assert self.unfinished <= set(done.unfinished)
        for offset in self.log:
            left = offset >= done.end or offset in done.unfinished
            assert not left or offset in self.unfinished or offset >= self.next
            assert left or offset in self.ever_done

    @invariant()
    def spread_counts_what_this_owner_started_from_the_position_on(self) -> None:
        assert self.tracker.spread >= len(self.unfinished)
        if not self.unfinished:
            assert self.tracker.spread == 0


TestTracker = pytest.mark.thorough(TrackerMachine.TestCase)
TestTracker.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)


def test_spread_counts_records_and_not_offsets() -> None:
    tracker = OffsetTracker(OffsetMap((), 0))
    for offset in (3, 10, 20):
        assert tracker.started(offset)
    tracker.finished(10)
    assert tracker.spread == 3
    tracker.finished(3)
    assert tracker.spread == 1


def test_a_new_owner_is_handed_what_is_unfinished_and_nothing_else() -> None:
    tracker = OffsetTracker(OffsetMap((5, 9), 12))
    assert (tracker.position, tracker.done) == (5, OffsetMap((5, 9), 12))
    assert [offset for offset in range(5, 14) if tracker.started(offset)] == [5, 9, 12, 13]


def test_the_position_leaps_over_what_was_done_before_although_it_is_not_read_yet() -> None:
    tracker = OffsetTracker(OffsetMap((5,), 1000))
    assert tracker.started(5)
    assert tracker.position == 5
    tracker.finished(5)
    assert tracker.position == 1000


def test_an_unfinished_record_that_the_log_lost_holds_nothing_up_once_it_is_passed() -> None:
    tracker = OffsetTracker(OffsetMap((5, 7, 9), 12))
    assert not tracker.started(8)
    assert tracker.done == OffsetMap((9,), 12)
    assert tracker.started(20)
    assert tracker.done == OffsetMap((20,), 21)
