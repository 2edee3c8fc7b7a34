"""Ranges of time, whose rules the vendor writes in prose."""

from typing import Any

import pytest

from tests.support.generated_operations import FORMS, only
from tests.support.vendor_rest_document import document, operation, query
from zoom.catalogue import Window


def window(start: str, /, *, refused: str = "", **schema: Any) -> Window:
    taken = (query("from", start, **schema), query("to", "prose"))
    published = operation(parameters=taken, failures={"400": refused})
    return only(document(**{"get_/things": published})).windows[0]


@pytest.mark.parametrize(
    ("start", "refused", "expected"),
    [
        (
            "`yyyy-MM-dd`, a month: it only includes one month's worth. Or the past 24 hours.",
            "",
            Window(
                start="from",
                end="to",
                forms=("date",),
                default_hours=24,
                longest_days=28,
                beyond="truncated",
            ),
        ),
        (
            f"A range of one month, {FORMS} or `±HH:mm`, or the last 24 hours. 'Z' is a literal.",
            "It exceeds the 1-month limit. Only provide report in recent 6 months.",
            Window(
                start="from",
                end="to",
                forms=("z", "offset"),
                z_is_literal=True,
                default_hours=24,
                longest_days=28,
                beyond="refused",
                lookback_days=180,
            ),
        ),
        (
            f"{FORMS}. It needs to be less than 6 months. Data from the past 30 days.",
            "",
            Window(start="from", end="to", forms=("z",), default_hours=720, longest_days=180),
        ),
        (
            f"{FORMS}. If not provided a 7 day time range is returned.",
            "Time range cannot exceed 45 days.",
            Window(
                start="from",
                end="to",
                forms=("z",),
                default_hours=168,
                longest_days=45,
                beyond="refused",
            ),
        ),
        (FORMS, "", Window(start="from", end="to", forms=("z",))),
    ],
)
def test_the_rules_of_a_window_are_read_out_of_the_prose(
    start: str, refused: str, expected: Window
) -> None:
    assert window(start, refused=refused) == expected


def test_an_example_or_a_mask_tells_how_times_are_written_where_no_prose_does() -> None:
    assert window("prose", example="2026-01-31T09:30:00Z").forms == ("z",)
    assert window("prose", pattern="YYYY-MM-DDTHH:MM:SSZ").forms == ("z",)


def test_each_pair_of_times_is_a_window_and_no_other_pair_of_names_is() -> None:
    names = ("start_time_from", "start_time_to", "from", "to", "ani_from", "dnis_to", "fromage")
    taken = tuple(query(name, FORMS, deprecated=name in {"from", "to"}) for name in names)
    windows = only(document(**{"get_/things": operation(parameters=taken)})).windows
    assert [(each.start, each.end, each.deprecated) for each in windows] == [
        ("start_time_from", "start_time_to", False),
        ("from", "to", True),
    ]
