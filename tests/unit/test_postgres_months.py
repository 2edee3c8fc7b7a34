"""Which months have partitions."""

from datetime import date

import pytest

from sinks.postgres.partitions import month_of, months_from


@pytest.mark.parametrize(
    ("epoch_ms", "month"),
    [
        (0, date(1970, 1, 1)),
        (1_772_323_199_999, date(2026, 2, 1)),
        (1_772_323_200_000, date(2026, 3, 1)),
        (253_402_300_799_999, date(9999, 12, 1)),
    ],
)
def test_a_month_begins_in_utc(epoch_ms: int, month: date) -> None:
    assert month_of(epoch_ms) == month


def test_months_go_on_into_the_next_year() -> None:
    assert months_from(date(2026, 11, 1), ahead=2) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]
    assert months_from(date(2026, 11, 1), ahead=0) == [date(2026, 11, 1)]
