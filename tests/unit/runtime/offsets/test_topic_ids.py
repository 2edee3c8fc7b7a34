"""A position goes with the id of its topic, and comes back without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.offsets.metadata import OffsetMap, to_commit
from runtime.offsets.topic_ids import (
    differs,
    of_these_logs,
    split_topic_id,
    topic_id_characters,
    with_topic_id,
)
from runtime.ports import Position
from runtime.sinks.batch_plans import planned
from runtime.values import Span, TopicPartition

old, new = "qWa9gWy9RdWMePB2YewMyg", "EqjOvpPjSsCVX5grs5-A_Q"
source, other = TopicPartition("t", 0), TopicPartition("u", 0)


@given(st.builds(Position, st.integers(0), st.text()), st.sampled_from([old, new]))
def test_a_position_comes_back_as_it_was(position: Position, topic_id: str) -> None:
    committed = with_topic_id(position, topic_id)
    assert split_topic_id(committed) == (position, topic_id)
    assert len(committed.metadata) == len(position.metadata) + topic_id_characters


@pytest.mark.parametrize(
    "position",
    [Position(7), to_commit(OffsetMap((7, 9), 1000)), planned(Span(7, 20)), Position(7, "a@b")],
    ids=["alone", "map", "plan", "other"],
)
def test_a_position_without_an_id_stays_as_it_is(position: Position) -> None:
    assert split_topic_id(position) == (position, "")
    assert with_topic_id(position, "") == position


def test_what_was_committed_in_another_log_is_nothing() -> None:
    position = Position(7, "plan:20")
    committed = {source: with_topic_id(position, old), other: None}
    assert of_these_logs(committed, {"t": old}) == {source: position, other: None}
    assert of_these_logs(committed, {"t": new}) == {source: None, other: None}


@pytest.mark.parametrize(("committed_in", "present"), [("", new), (old, ""), ("", ""), (old, old)])
def test_an_id_that_is_not_known_may_be_any(committed_in: str, present: str) -> None:
    position = Position(7)
    committed = {source: with_topic_id(position, committed_in)}
    assert of_these_logs(committed, {"t": present}) == {source: position}
    assert of_these_logs(committed, {}) == {source: position}
    assert not differs(committed_in, present)
