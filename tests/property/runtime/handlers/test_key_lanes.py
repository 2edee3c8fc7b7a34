"""KeyLanes against one list per key: one in flight, first in first out, bounded."""

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.handlers.key_lanes import KeyLanes
from runtime.values import Delivery, TopicPartition


class LanesMachine(RuleBasedStateMachine):
    @initialize(records=st.integers(1, 8), size_bytes=st.integers(1, 200))
    def begin(self, records: int, size_bytes: int) -> None:
        self.most_records, self.most_bytes = records, size_bytes
        self.lanes = KeyLanes(records=records, size_bytes=size_bytes)
        self.model: dict[bytes | TopicPartition, list[Delivery]] = defaultdict(list)
        self.added_s: dict[int, float] = {}
        self.offset = 0

    @rule(
        key=st.sampled_from([None, b"", b"a", b"b"]),
        partition=st.integers(0, 1),
        size=st.integers(0, 60),
    )
    def add(self, key: bytes | None, partition: int, size: int) -> None:
        if not self.lanes.room:
            return
        delivery = Delivery("t", partition, self.offset, key, b"x" * size, (), 0)
        lane = self.model[delivery.source if key is None else key]
        lane.append(delivery)
        self.added_s[self.offset] = float(self.offset)
        assert self.lanes.add(delivery, float(self.offset)) is (len(lane) == 1)
        self.offset += 1

    @precondition(lambda self: any(self.model.values()))
    @rule(pick=st.integers(0, 3))
    def finish(self, pick: int) -> None:
        lane = [lane for lane in self.model.values() if lane]
        chosen = lane[pick % len(lane)]
        done = chosen.pop(0)
        assert self.lanes.finish(done) is (chosen[0] if chosen else None)

    @precondition(lambda self: any(self.model.values()))
    @rule(pick=st.integers(0, 20))
    def finishing_what_waits_is_refused(self, pick: int) -> None:
        waiting = [d for lane in self.model.values() for d in lane[1:]]
        strangers = [Delivery("t", 0, -1, b"nobody", None, (), 0), *waiting]
        with pytest.raises(ValueError, match="not in flight"):
            self.lanes.finish(strangers[pick % len(strangers)])

    @rule(picks=st.sets(st.integers(0, 20)), strangers=st.integers(0, 1))
    def the_share_of_some_is_that_of_their_lanes(self, picks: set[int], strangers: int) -> None:
        held = [d for lane in self.model.values() for d in lane]
        some = [held[pick] for pick in picks if pick < len(held)]
        lanes = [lane for lane in self.model.values() if any(d in lane for d in some)]
        share = max(
            sum(len(lane) for lane in lanes) / self.most_records,
            sum(d.size_bytes for lane in lanes for d in lane) / self.most_bytes,
        )
        unknown = [Delivery("t", 0, -1, b"nobody", b"x", (), 0)] * strangers
        assert self.lanes.share_of(some + unknown) == share

    @invariant()
    def bounds_hold(self) -> None:
        held = [d for lane in self.model.values() for d in lane]
        assert len(self.lanes) == len(held) <= self.most_records
        full = sum(d.size_bytes for d in held) >= self.most_bytes
        assert self.lanes.room == (0 if full else self.most_records - len(held))
        assert self.lanes.oldest_since_s == min(
            (self.added_s[d.offset] for d in held), default=None
        )


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
