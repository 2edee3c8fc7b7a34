"""Where reading begins, what is missing, and what counts as another log."""

from runtime.ports import LogBounds, TopicLog
from runtime.tables.positions import LogPositions
from runtime.values import TopicPartition

p0, p1 = TopicPartition("t", 0), TopicPartition("t", 1)


def log(topic_id: str = "a", **bounds: tuple[int, int]) -> TopicLog:
    return TopicLog(
        topic_id,
        {TopicPartition("t", int(name[1:])): LogBounds(*each) for name, each in bounds.items()},
    )


def begun(first: TopicLog, *positions: dict[TopicPartition, int]) -> LogPositions:
    each = LogPositions()
    each.begin(first)
    for position in positions:
        each.advance(position)
    return each


def test_nothing_is_caught_up_before_it_begins() -> None:
    assert not LogPositions().caught_up
    assert LogPositions().missing == 0


def test_reading_begins_at_the_starts_and_ends_at_the_ends_seen_then() -> None:
    positions = LogPositions()
    assert positions.begin(log(p0=(2, 5), p1=(0, 1))) == ({p0: 2, p1: 0}, True)
    assert positions.missing == 4
    positions.advance({p0: 5, p1: 0})
    assert (positions.caught_up, positions.missing) == (False, 1)
    positions.advance({p0: 5, p1: 1})
    assert (positions.caught_up, positions.missing) == (True, 0)


def test_an_empty_topic_is_caught_up_at_once() -> None:
    assert begun(log(p0=(0, 0), p1=(7, 7))).caught_up


def test_a_connection_continues_where_the_one_before_stopped() -> None:
    positions = begun(log(p0=(0, 5)), {p0: 3})
    assert positions.begin(log(p0=(0, 9))) == ({p0: 3}, False)
    positions.advance({p0: 5})
    assert positions.caught_up  # what was added meanwhile is no part of the beginning


def test_it_stays_caught_up_across_connections_and_new_partitions() -> None:
    positions = begun(log(p0=(0, 5)), {p0: 5})
    assert positions.begin(log(p0=(0, 9), p1=(0, 4))) == ({p0: 5, p1: 0}, False)
    assert positions.caught_up


def test_a_partition_that_is_new_before_it_has_caught_up_belongs_to_the_beginning() -> None:
    positions = begun(log(p0=(0, 5)), {p0: 3})
    positions.begin(log(p0=(0, 5), p1=(0, 4)))
    assert positions.missing == 6


def test_an_end_that_moved_back_is_waited_for_no_longer() -> None:
    positions = begun(log(p0=(0, 5)), {p0: 3})
    positions.begin(log(p0=(0, 4)))
    assert positions.missing == 1


def test_another_topic_id_is_another_log() -> None:
    positions = begun(log("a", p0=(0, 5)), {p0: 5})
    assert positions.begin(log("b", p0=(0, 9))) == ({p0: 0}, True)
    assert not positions.caught_up


def test_brokers_without_ids_are_believed() -> None:
    positions = begun(log("a", p0=(0, 5)), {p0: 5})
    assert not positions.begin(log("", p0=(0, 5))).is_anew
    assert positions.begin(log("b", p0=(0, 5))).is_anew


def test_fewer_partitions_are_another_log() -> None:
    positions = begun(log("", p0=(0, 5), p1=(0, 5)), {p0: 1, p1: 1})
    assert positions.begin(log("", p0=(0, 5))) == ({p0: 0}, True)
    assert positions.missing == 5


def test_a_position_outside_the_log_is_of_another_log() -> None:
    behind = begun(log(p0=(0, 5)), {p0: 5})
    assert behind.begin(log(p0=(0, 4))) == ({p0: 0}, True)
    before = begun(log(p0=(0, 5)), {p0: 3})
    assert before.begin(log(p0=(4, 5))) == ({p0: 4}, True)


def test_after_forgetting_everything_is_read_anew() -> None:
    positions = begun(log(p0=(0, 5)), {p0: 5})
    positions.forget()
    assert not positions.caught_up
    assert positions.begin(log(p0=(0, 5))) == ({p0: 0}, True)


def test_a_position_never_falls() -> None:
    positions = begun(log(p0=(0, 9)), {p0: 5}, {p0: 3})
    assert positions.missing == 4


def test_the_lag_is_what_is_left_up_to_the_present_ends() -> None:
    positions = begun(log(p0=(0, 5), p1=(0, 5)), {p0: 5, p1: 5})
    assert positions.lag({p0: 8, p1: 4}) == 3
