"""The age of what is unfinished goes on across memberships, until something is finished."""

from runtime.offsets.unfinished import OldestUnfinished
from runtime.values import TopicPartition

one, two = TopicPartition("in", 0), TopicPartition("in", 1)


def test_nothing_is_held_and_nothing_was_given_up() -> None:
    assert OldestUnfinished().since_s(None, {one: 5}) is None


def test_what_is_held_counts_from_when_it_was_read() -> None:
    assert OldestUnfinished().since_s(7.0, {one: 5}) == 7.0


def test_what_was_given_up_counts_on_while_nothing_is_owned_and_is_read_again() -> None:
    unfinished = OldestUnfinished()
    unfinished.given_up(7.0, {one: 5, two: 3})
    assert unfinished.since_s(None, {}) == 7.0
    unfinished.given_up(None, {})
    unfinished.given_up(9.0, {one: 5})
    assert unfinished.since_s(20.0, {one: 5, two: 3}) == 7.0


def test_it_is_forgotten_once_a_position_is_further() -> None:
    unfinished = OldestUnfinished()
    unfinished.given_up(7.0, {one: 5, two: 3})
    assert unfinished.since_s(20.0, {one: 5, two: 4}) == 20.0
    assert unfinished.since_s(20.0, {one: 5, two: 3}) == 20.0


def test_it_is_forgotten_once_others_own_its_partitions() -> None:
    unfinished = OldestUnfinished()
    unfinished.given_up(7.0, {one: 5})
    assert unfinished.since_s(None, {two: 3}) is None
