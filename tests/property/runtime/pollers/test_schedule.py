"""The schedule of a poller's feeds, against the invariants that it lists."""

from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.pollers.schedule import PageLimits, Schedule, idle_delay_s

names = ["a", "b", "c", "d"]
moments = st.floats(min_value=0, max_value=20)


class Feeds(RuleBasedStateMachine):
    """A poller whose feeds become due, are fetched, published, and fail."""

    @initialize(pages=st.integers(1, 4), records=st.integers(1, 30), page=st.integers(1, 10))
    def begin(self, pages: int, records: int, page: int) -> None:
        self.limits = PageLimits(pages, records, page)
        self.schedule = Schedule(names, self.limits)
        self.now_s = 0.0
        self.not_before_s = dict.fromkeys(names, 0.0)
        self.busy: dict[str, int] = {}
        self.queue: list[str] = []

    @rule(passed_s=moments)
    def time_passes(self, passed_s: float) -> None:
        self.now_s += passed_s

    @rule(due_in_s=st.dictionaries(st.sampled_from(names), st.floats(-5, 5)))
    def look(self, due_in_s: dict[str, float]) -> None:
        due_s = {name: self.now_s + delay_s for name, delay_s in due_in_s.items()}
        idle = [name for name in names if name not in self.busy and name not in self.queue]
        assert set(self.schedule.idle) == set(idle)
        self.schedule.look(self.now_s, due_s)
        begins_s = {n: max(due_s.get(n, inf), self.not_before_s[n]) for n in idle}
        joined = {name for name, start_s in begins_s.items() if start_s <= self.now_s}
        queued = list(self.schedule.queued)
        assert queued[: len(self.queue)] == self.queue
        assert set(queued[len(self.queue) :]) == joined
        self.queue = queued
        later = [start_s for start_s in begins_s.values() if start_s > self.now_s]
        assert self.schedule.wait_s(self.now_s) == min(later, default=inf) - self.now_s

    @rule()
    def start(self) -> None:
        name = self.schedule.start()
        held = sum(self.busy.values()) + self.limits.page_records
        has_room = not self.busy or (
            len(self.busy) < self.limits.pages and held <= self.limits.records
        )
        assert name == (self.queue[0] if self.queue and has_room else None)
        if name is not None:
            assert name not in self.busy
            assert self.now_s >= self.not_before_s[name]
            self.queue.remove(name)
            self.busy[name] = self.limits.page_records

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def a_page_is_fetched(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.busy)))
        self.busy[name] = data.draw(st.integers(0, self.busy[name]))
        self.schedule.fetched(name, self.busy[name])

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), moved=st.booleans())
    def a_page_is_done(self, data: st.DataObject, *, moved: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.busy)))
        self.schedule.done(name, self.now_s, moved=moved)
        del self.busy[name]
        self.not_before_s[name] = self.now_s + (0 if moved else idle_delay_s)
        assert name not in self.schedule.failures

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), delay_s=moments)
    def a_page_fails(self, data: st.DataObject, delay_s: float) -> None:
        name = data.draw(st.sampled_from(sorted(self.busy)))
        before = self.schedule.failures.get(name, 0)
        self.schedule.failed(name, self.now_s + delay_s)
        del self.busy[name]
        self.not_before_s[name] = self.now_s + delay_s
        assert self.schedule.failures[name] == before + 1

    @rule()
    def the_member_stops(self) -> None:
        self.schedule.release(self.now_s)
        self.not_before_s |= dict.fromkeys(self.busy, self.now_s)
        self.busy.clear()

    @invariant()
    def each_feed_is_in_one_place_and_the_bounds_hold(self) -> None:
        schedule = self.schedule
        places = [*schedule.idle, *schedule.queued, *schedule.busy]
        assert sorted(places) == names
        assert set(schedule.busy) == self.busy.keys()
        assert len(self.busy) <= self.limits.pages
        assert schedule.records == sum(self.busy.values())
        assert schedule.records <= max(self.limits.records, self.limits.page_records)


TestFeeds = Feeds.TestCase
