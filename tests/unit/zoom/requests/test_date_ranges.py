"""Which spans are taken, how they are written, and what is refused before anything is sent."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from zoom.catalogue import find
from zoom.errors import ArgumentError
from zoom.requests.date_ranges import divided

now = datetime(2026, 6, 30, 12, 0, 0, 5, tzinfo=UTC)


def windows(name: str, **arguments: object) -> list[dict[str, object]]:
    return [dict(each) for each in divided(find(name), arguments, now=now)]


def spans(name: str, start: str, end: str, **others: object) -> list[tuple[object, object]]:
    ranges = windows(name, from_=start, to=end, **others)
    return [(each["from_"], each["to"]) for each in ranges]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("list_engagements", "2026-01-01", "2026-01-28"),
        ("list_engagements", "2026-01-01T00:00:00+05:30", "2026-01-29T00:00:00+05:30"),
        ("list_recordings", "2026-01-01T00:00:00Z", "2026-01-29T00:00:00Z"),
        ("list_operation_logs", "2026-01-01", "2026-01-01"),
        ("list_journey_logs", "2026-01-01T07:00:00Z", "2026-01-01T07:00:00Z"),
        ("list_custom_report_data", "2026-01-01T00:00:00Z", "2026-06-30T00:00:00Z"),
    ],
)
def test_a_span_that_is_taken_goes_out_as_it_was_given(name: str, start: str, end: str) -> None:
    assert spans(name, start, end) == [(start, end)]


def test_other_arguments_stay_and_without_a_span_none_is_added() -> None:
    assert windows("list_engagements", channel="voice") == [{"channel": "voice"}]
    assert windows("list_queues") == [{}]
    assert windows("list_engagements", from_=None, to=None) == [{"from_": None, "to": None}]


def test_times_share_the_second_where_they_meet() -> None:
    assert spans("list_recordings", "2026-01-01T06:00:00Z", "2026-03-01T00:00:00Z") == [
        ("2026-01-01T06:00:00Z", "2026-01-29T06:00:00Z"),
        ("2026-01-29T06:00:00Z", "2026-02-26T06:00:00Z"),
        ("2026-02-26T06:00:00Z", "2026-03-01T00:00:00Z"),
    ]


def test_dates_share_the_day_where_they_meet_and_are_counted_with_both_ends() -> None:
    assert spans("list_operation_logs", "2026-01-01", "2026-02-10") == [
        ("2026-01-01", "2026-01-28"),
        ("2026-01-28", "2026-02-10"),
    ]
    assert spans("list_operation_logs", "2026-01-01", "2026-01-29") == [
        ("2026-01-01", "2026-01-28"),
        ("2026-01-28", "2026-01-29"),
    ]


def test_a_second_more_than_the_longest_is_another_window() -> None:
    assert spans("list_recordings", "2026-01-01T00:00:00Z", "2026-01-29T00:00:01Z") == [
        ("2026-01-01T00:00:00Z", "2026-01-29T00:00:00Z"),
        ("2026-01-29T00:00:00Z", "2026-01-29T00:00:01Z"),
    ]


def test_what_lies_between_is_written_with_the_offset_of_the_start() -> None:
    ranges = spans("list_recordings", "2026-01-01T00:00:00+05:30", "2026-01-30T00:00:00-08:00")
    assert ranges == [
        ("2026-01-01T00:00:00+05:30", "2026-01-29T00:00:00+05:30"),
        ("2026-01-29T00:00:00+05:30", "2026-01-30T00:00:00-08:00"),
    ]


def test_a_z_is_refused_where_zoom_would_not_read_it_as_utc() -> None:
    with pytest.raises(ArgumentError, match=r"list_engagements: from_: expected a date .* or a"):
        spans("list_engagements", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")


def test_datetimes_and_dates_are_written_as_the_operation_reads_them() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 30, tzinfo=UTC)
    ranges = windows("list_engagements", from_=start, to=end)
    assert [each["to"] for each in ranges] == [
        "2026-01-29T00:00:00+00:00",
        "2026-01-30T00:00:00+00:00",
    ]
    ranges = windows("list_operation_logs", from_=start.date(), to=end.date())
    assert [each["to"] for each in ranges] == ["2026-01-28", "2026-01-30"]


def test_all_pairs_of_an_operation_are_divided() -> None:
    start = {"start_time_from": "2026-01-01T00:00:00Z", "start_time_to": "2026-02-01T00:00:00Z"}
    end = {"end_time_from": "2026-01-01T00:00:00Z", "end_time_to": "2026-02-01T00:00:00Z"}
    ranges = windows("list_engagement_dataset", sort_order="asc", **start, **end)
    edges = ["2026-01-01T00:00:00Z", "2026-01-29T00:00:00Z", "2026-02-01T00:00:00Z"]
    pairs = list(pairwise(edges))
    assert [
        (
            (each["start_time_from"], each["start_time_to"]),
            (each["end_time_from"], each["end_time_to"]),
        )
        for each in ranges
    ] == [(first, second) for first in pairs for second in pairs]


@pytest.mark.parametrize(("order", "first"), [(None, 2), ("desc", 2), ("asc", 1)])
def test_windows_go_the_way_of_the_list(order: str | None, first: int) -> None:
    span = {"end_time_from": "2026-01-01T00:00:00Z", "end_time_to": "2026-02-01T00:00:00Z"}
    ranges = windows("list_engagement_dataset", sort_order=order, **span)
    assert [str(each["end_time_to"]).startswith("2026-02") for each in ranges] == [
        first == 2,
        first == 1,
    ]


def test_a_span_without_a_longest_one_is_never_divided() -> None:
    span = {"email_sent_time_from": "2020-01-01", "email_sent_time_to": "2026-01-01"}
    assert windows("list_open_engagements", **span) == [span]


@pytest.mark.parametrize(
    ("given", "missing"), [({"from_": "2026-01-01"}, "to"), ({"to": "2026-01-01"}, "from_")]
)
def test_one_end_alone_is_refused(given: dict[str, object], missing: str) -> None:
    with pytest.raises(ArgumentError, match=f"list_sms: {missing}: expected from_ and to, or none"):
        windows("list_sms", **given)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-1-1",
        "0000-01-01",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.500Z",
        "2026-01-01T00:00:00+25:00",
        "2026-01-01T24:00:01Z",
        "2026-01-01\n",
        "٢٠٢٦-01-01",
        20260101,
        datetime(2026, 1, 1),  # noqa: DTZ001 - no zone is the case
    ],
)
def test_what_is_no_such_time_is_refused_and_not_repeated(text: object) -> None:
    with pytest.raises(ArgumentError, match="list_sms: from_: expected a") as caught:
        windows("list_sms", from_=text, to="2026-01-01")
    assert not text or str(text) not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("list_operation_logs", "2026-01-01T00:00:00Z"),
        ("list_recordings", "2026-01-01"),
        ("list_journey_logs", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_a_form_that_the_operation_does_not_read_is_refused(name: str, start: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}: from_: expected a"):
        spans(name, start, start)


def test_both_ends_are_written_alike() -> None:
    with pytest.raises(ArgumentError, match="list_sms: to: expected to be written as from_ is"):
        spans("list_sms", "2026-01-01", "2026-01-02T00:00:00Z")


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ArgumentError, match="list_sms: to: expected no earlier than from_"):
        spans("list_sms", "2026-01-02", "2026-01-01")


@pytest.mark.parametrize(
    ("oldest", "older", "end"),
    [
        ("2026-01-01", "2025-12-31", "2026-01-02"),
        ("2026-01-01T12:00:01+00:00", "2026-01-01T12:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        ("2026-01-01T13:00:01+01:00", "2026-01-01T13:00:00+01:00", "2026-01-02T00:00:00+01:00"),
    ],
)
def test_what_zoom_has_forgotten_is_refused_with_the_oldest_that_it_knows(
    oldest: str, older: str, end: str
) -> None:
    assert spans("list_historical_queue_metrics", oldest, end) == [(oldest, end)]
    with pytest.raises(ArgumentError, match="from_: expected no earlier than 2026-01-01"):
        spans("list_historical_queue_metrics", older, end)


def test_all_is_checked_before_the_first_window() -> None:
    good = {"start_time_from": "2026-01-01T00:00:00Z", "start_time_to": "2026-06-01T00:00:00Z"}
    ranges = divided(find("list_engagement_dataset"), good | {"end_time_from": "x"}, now=now)
    with pytest.raises(ArgumentError, match="end_time_to"):
        next(ranges)
