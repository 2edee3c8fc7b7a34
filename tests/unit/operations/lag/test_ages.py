"""Which records' ages are read, and what they are."""

from operations.lag.ages import Ages
from runtime.kafka import Lag
from runtime.values import TopicPartition

source = TopicPartition("t", 0)


def at(committed: int | None, log_end: int, log_start: int = 0) -> dict[TopicPartition, Lag]:
    return {source: Lag(committed, log_start, log_end)}


def test_the_first_look_asks_for_everything_that_is_behind() -> None:
    ages = Ages()
    assert ages.unknown(at(2, 5)) == {source: 2}
    assert ages.note(at(2, 5), {source: 77}) == {source: 77}


def test_a_group_that_keeps_up_costs_no_question() -> None:
    ages = Ages()
    ages.note(at(5, 5), {})
    for position, end in ((5, 9), (9, 12), (11, 12)):
        lags = at(position, end)
        assert bool(ages.unknown(lags)) == (position == 11)
        ages.note(lags, dict.fromkeys(ages.unknown(lags), 1))


def test_what_came_since_the_look_before_has_no_age_yet() -> None:
    ages = Ages()
    ages.note(at(5, 5), {})
    assert ages.note(at(5, 6), {}) == {}
    assert ages.unknown(at(5, 6)) == {source: 5}


def test_a_group_that_stands_still_costs_one_question() -> None:
    ages = Ages()
    ages.note(at(2, 5), {source: 77})
    assert ages.unknown(at(2, 9)) == {}
    assert ages.note(at(2, 9), {}) == {source: 77}
    assert ages.unknown(at(3, 9)) == {source: 3}


def test_the_age_of_a_partition_without_a_readable_record_stays_unknown() -> None:
    ages = Ages()
    assert ages.note(at(2, 3), {}) == {}
    assert ages.unknown(at(2, 3)) == {source: 2}


def test_the_age_of_a_recreated_log_is_unknown_again() -> None:
    ages = Ages()
    ages.note(at(8, 9), {source: 77})
    assert ages.unknown(at(None, 4)) == {source: 0}
