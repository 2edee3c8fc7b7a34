"""How lag becomes rates, estimates and words."""

import pytest

from operations.lag.group_lag import GroupLag, Progress, duration, lines, progress
from runtime.kafka import Lag
from runtime.values import TopicPartition

source, other = TopicPartition("t", 0), TopicPartition("t", 1)


def test_a_position_before_the_beginning_of_the_log_counts_as_the_beginning() -> None:
    assert (Lag(None, 5, 9).behind, Lag(2, 5, 9).behind, Lag(7, 5, 9).behind) == (4, 4, 2)


def test_a_position_beyond_the_end_of_the_log_is_not_behind() -> None:
    assert Lag(12, 0, 9).behind == 0


def test_rates_compare_two_looks() -> None:
    before, now = {source: Lag(10, 0, 100)}, {source: Lag(30, 0, 110)}
    (result,) = progress(before, now, elapsed_s=2, ages_s={source: 7.0}).values()
    assert result == Progress(80, 7.0, done_per_s=10.0, new_per_s=5.0)
    assert result.caught_up_in_s == 16.0


def test_a_group_that_was_set_back_has_no_negative_rate() -> None:
    (result,) = progress(
        {source: Lag(50, 0, 100)}, {source: Lag(0, 0, 100)}, elapsed_s=1, ages_s={}
    ).values()
    assert result.done_per_s == 0.0


def test_a_partition_that_is_new_has_no_rates_yet() -> None:
    (result,) = progress({}, {source: Lag(None, 0, 100)}, elapsed_s=1, ages_s={}).values()
    assert (result.done_per_s, result.new_per_s) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Progress(0, None, 0.0, 0.0), 0.0),
        (Progress(10, 1.0, 0.0, 0.0), None),
        (Progress(10, 1.0, 5.0, 5.0), None),
        (Progress(10, 1.0, 5.0, 9.0), None),
        (Progress(10, 1.0, 6.0, 1.0), 2.0),
    ],
    ids=["done", "stands still", "keeps up", "falls behind", "gains"],
)
def test_the_estimate_is_what_is_left_by_what_is_gained(
    part: Progress, expected: float | None
) -> None:
    assert part.caught_up_in_s == expected


def test_a_group_is_as_old_as_its_oldest_partition_and_only_what_is_behind_has_a_line() -> None:
    group = GroupLag(
        "zcc.postgres",
        1,
        {source: Lag(5, 0, 15), other: Lag(9, 0, 9)},
        {source: Progress(10, 90.0, 6.0, 1.0), other: Progress(0, None, 0.0, 0.0)},
    )
    assert group.total == Progress(10, 90.0, 6.0, 1.0)
    same = "behind by 10, 1 min 30 s old  done 6.0/s, new 1.0/s  caught up in 2 s"
    assert list(lines([group])) == [
        f"zcc.postgres  members: 1  {same}",
        f"  t/0  at 5 of 15  {same}",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.6, "1 min"), (3661, "1 h 1 min"), (86_400, "1 d"), (90_061, "1 d 1 h")],
)
def test_a_time_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
