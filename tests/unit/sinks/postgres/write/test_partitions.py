"""Which months and days have partitions."""

from datetime import date

import pytest

from sinks.postgres.write.partitions import Step, days_of, following


@pytest.mark.parametrize(
    ("epoch_ms", "day"),
    [
        (0, date(1970, 1, 1)),
        (1_772_323_199_999, date(2026, 2, 28)),
        (1_772_323_200_000, date(2026, 3, 1)),
        (253_402_300_799_999, date(9999, 12, 31)),
    ],
)
def test_days_begin_in_utc(epoch_ms: int, day: date) -> None:
    assert days_of([epoch_ms, epoch_ms]) == {day}


@pytest.mark.parametrize(
    ("step", "first", "next_ones"),
    [
        ("month", date(2026, 11, 1), [date(2026, 12, 1), date(2027, 1, 1)]),
        ("day", date(2028, 2, 28), [date(2028, 2, 29), date(2028, 3, 1)]),
    ],
)
def test_partitions_go_on_into_the_next_year(
    step: Step, first: date, next_ones: list[date]
) -> None:
    assert list(following(first, step, ahead=2)) == [first, *next_ones]
    assert list(following(first, step, ahead=0)) == [first]
