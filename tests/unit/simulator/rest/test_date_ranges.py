"""The span of time that a request asks for."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.rest.date_ranges import spans_of
from simulator.rest.documents import ApiError
from zoom.catalogue import find

NOW = datetime(2025, 6, 15, 12, 0, tzinfo=UTC)


def span(name: str, **query: str) -> tuple[str, str]:
    spans = spans_of(find(name), query, now=NOW)
    (interval,) = spans.values()
    return interval.start.isoformat(), interval.end.isoformat()


def code(name: str, **query: str) -> object:
    with pytest.raises(ApiError) as caught:
        spans_of(find(name), query, now=NOW)
    assert caught.value.status == 400
    return caught.value.document["code"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-06-01", "2025-06-02", ("2025-06-01T00:00:00+00:00", "2025-06-02T23:59:59+00:00")),
        (
            "2025-06-01T01:02:03Z",
            "2025-06-01T04:05:06.5Z",
            ("2025-06-01T01:02:03+00:00", "2025-06-01T04:05:06.500000+00:00"),
        ),
        (
            "2025-06-01T01:00:00+02:00",
            "2025-06-01T04:00:00-05:00",
            ("2025-06-01T01:00:00+02:00", "2025-06-01T04:00:00-05:00"),
        ),
    ],
)
def test_a_time_may_be_a_day_or_a_moment_with_z_or_an_offset(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert span("list_voice_calls", **{"from": start, "to": end}) == expected


def test_z_is_a_literal_where_the_vendor_says_so() -> None:
    query = {
        "from": "2025-06-01T00:00:00Z",
        "to": "2025-06-02",
        "timezone": "Europe/Berlin",
    }
    expected = ("2025-06-01T00:00:00+02:00", "2025-06-02T23:59:59+02:00")
    assert span("list_engagements", **query) == expected


def test_z_is_utc_elsewhere_whatever_the_zone() -> None:
    query = {"from": "2025-06-01T00:00:00Z", "to": "2025-06-02T00:00:00Z"}
    query["timezone"] = "Europe/Berlin"
    assert span("list_sms", **query)[0] == "2025-06-01T00:00:00+00:00"


@pytest.mark.parametrize("zone", ["Middle/Earth", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    query = {"from": "2025-06-01", "to": "2025-06-02", "timezone": zone}
    assert code("list_engagements", **query) == 300


@pytest.mark.parametrize(
    "text", ["2025-06-31", "2025-06-01T25:00:00Z", "2025-06-01T00:00:00", "now", "2025-06-01 00:00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert code("list_voice_calls", **{"from": text, "to": "2025-07-01"}) == 300


def test_a_form_that_the_operation_does_not_take_is_refused() -> None:
    days = {"from": "2025-06-01", "to": "2025-06-02"}
    moments = {"from": "2025-06-01T00:00:00Z", "to": "2025-06-02T00:00:00Z"}
    assert code("list_recordings", **days) == 300
    assert code("list_operation_logs", **moments) == 300
    assert span("list_recordings", **moments)
    assert span("list_operation_logs", **days)


@pytest.mark.parametrize("query", [{"from": "2025-06-01"}, {"to": "2025-06-01"}])
def test_one_end_alone_is_refused(query: dict[str, str]) -> None:
    assert code("list_sms", **query) == 300


def test_ends_in_the_wrong_order_are_refused_with_the_code_that_is_documented() -> None:
    query = {"from": "2025-06-02", "to": "2025-06-01"}
    assert code("list_voice_calls", **query) == 300
    assert code("list_operation_logs", **query) == 6002


def test_more_than_a_month_is_refused_with_the_code_that_is_documented() -> None:
    query = {"from": "2025-05-01", "to": "2025-05-29"}
    assert code("list_voice_calls", **query) == 300
    assert code("list_operation_logs", **query) == 6003
    month = {"from": "2025-05-01", "to": "2025-05-28"}
    assert span("list_operation_logs", **month)[1] == "2025-05-28T23:59:59+00:00"


def test_more_than_a_month_is_cut_at_its_end_elsewhere() -> None:
    query = {"from": "2025-03-01T00:00:00Z", "to": "2025-06-01T00:00:00Z"}
    assert span("list_recordings", **query)[1] == "2025-03-29T00:00:00+00:00"


def test_what_began_too_long_ago_is_refused() -> None:
    oldest = NOW - timedelta(days=180)
    end = oldest + timedelta(days=1)
    ends = {"from": f"{oldest:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    assert span("list_agent_status_history", **ends)
    ends["from"] = f"{oldest - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    assert code("list_agent_status_history", **ends) == 300


def test_without_a_window_the_last_hours_are_taken() -> None:
    assert span("list_sms") == ("2025-06-14T12:00:00+00:00", "2025-06-15T12:00:00+00:00")
    assert span("list_recordings")[0] == "2025-05-16T12:00:00+00:00"
    assert spans_of(find("list_open_engagements"), {}, now=NOW) == {}
    assert spans_of(find("list_users"), {}, now=NOW) == {}


def test_several_windows_go_by_the_parameters_that_start_them() -> None:
    query = {
        f"{name}_time_{side}": f"2025-06-0{day}T00:00:00Z"
        for name, days in (("start", (1, 3)), ("end", (2, 4)))
        for side, day in zip(("from", "to"), days, strict=True)
    }
    spans = spans_of(find("list_engagement_dataset"), query, now=NOW)
    assert list(spans) == ["start_time_from", "end_time_from"]
    assert spans["end_time_from"].holds(datetime(2025, 6, 4, tzinfo=UTC))
    assert not spans["start_time_from"].holds(datetime(2025, 6, 4, tzinfo=UTC))


def test_a_span_that_nothing_limits_is_taken_as_it_is() -> None:
    query = {
        "email_sent_time_from": "2020-01-01",
        "email_sent_time_to": "2025-06-01",
    }
    assert span("list_open_engagements", **query)[0] == "2020-01-01T00:00:00+00:00"
