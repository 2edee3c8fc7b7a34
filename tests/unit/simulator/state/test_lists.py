"""Which items a list has, in which order, and how it writes times."""

from collections.abc import Mapping
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from simulator.rest.answers import QueryValue, TimeSpan
from tests.support.simulated_account import LATER, START, SimulatedAccount

BEGINNINGS = {"early": 0, "midday": 4 * 3600, "late": 5 * 3600}
"""Seconds from `START` to the beginning of each call, which lasts a minute."""


@pytest.fixture(scope="module")
def account() -> SimulatedAccount:
    account = SimulatedAccount()
    for (name, at_s), queue in zip(BEGINNINGS.items(), account.company.queues, strict=False):
        agent = queue.agents[0]
        members = {
            "engagement_id": name,
            "engagement_direction": "outbound" if name == "late" else "inbound",
            "channel": "voice",
            "cc_queue_id": queue.cc_queue_id,
            "user_id": agent.user_id,
            "user_display_name": agent.display_name,
            "consumer_id": f"consumer {name}",
            "consumer_number": "+12015550100" if name == "early" else "+12015550101",
            "recording_id": f"recording {name}",
        }
        account.happened("engagement_started", at_s=at_s, **members)
        account.happened("engagement_user_answered", at_s=at_s + 1, **members)
        account.happened("recording_started", at_s=at_s + 2, recording_type="automatic", **members)
        account.happened("recording_stopped", at_s=at_s + 59, **members)
        account.happened("engagement_ended", at_s=at_s + 60, **members)
        account.happened("recording_completed", at_s=at_s + 61, **members)
    return account


def ids(account: SimulatedAccount, operation_name: str, **question: object) -> list[str]:
    return [item["engagement_id"] for item in account.list(operation_name, **question)]


def span(start_s: float, end_s: float) -> TimeSpan:
    return TimeSpan(START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


@pytest.mark.parametrize(
    ("operation_name", "window", "start_s", "end_s", "expected"),
    [
        ("list_engagements", "from", 0, 4 * 3600, ["early", "midday"]),
        ("list_engagements", "from", 1, 4 * 3600, ["midday"]),
        ("list_engagements", "from", 0, 4 * 3600 - 1, ["early"]),
        ("list_voice_calls", "from", 0, 60, ["early"]),
        ("list_recordings", "from", 2, 2, ["early"]),
        ("list_engagement_dataset", "start_time_from", 0, 0, ["early"]),
        ("list_engagement_dataset", "end_time_from", 60, 60, ["early"]),
        ("list_engagement_dataset", "end_time_from", 0, 59, []),
        ("list_queue_performance_dataset", "exit_time_from", 60, 60, ["early"]),
        ("list_queue_performance_dataset", "from", 0, 0, ["early"]),
    ],
)
def test_a_window_holds_what_lies_in_it(
    account: SimulatedAccount,
    operation_name: str,
    window: str,
    start_s: int,
    end_s: int,
    expected: list[str],
) -> None:
    spans = {window: span(start_s, end_s)}
    assert ids(account, operation_name, spans=spans) == expected


def test_a_window_of_recordings_can_be_about_their_end(account: SimulatedAccount) -> None:
    spans, query = {"from": span(59, 59)}, {"query_date_type": "recording_end_time"}
    assert ids(account, "list_recordings", spans=spans) == []
    assert ids(account, "list_recordings", spans=spans, query=query) == ["early"]


def test_two_windows_hold_what_lies_in_both(account: SimulatedAccount) -> None:
    spans = {"start_time_from": span(0, 5 * 3600), "end_time_from": span(61, 5 * 3600)}
    assert ids(account, "list_engagement_dataset", spans=spans) == ["midday"]


def test_an_item_without_the_time_of_a_window_lies_in_none(account: SimulatedAccount) -> None:
    account.happened("engagement_started", engagement_id="open", channel="voice")
    spans = {"email_sent_time_from": span(0, 10)}
    assert ids(account, "list_open_engagements", spans=spans) == []


def test_v2_reports_are_sorted_newest_first_unless_requested_otherwise(
    account: SimulatedAccount,
) -> None:
    assert ids(account, "list_engagement_dataset") == ["late", "midday", "early"]
    query = {"sort_order": "asc"}
    assert ids(account, "list_engagement_dataset", query=query) == ["early", "midday", "late"]


def queries(account: SimulatedAccount) -> Mapping[str, tuple[str, Mapping[str, QueryValue], int]]:
    queue = account.company.queues[1]
    return {
        "queue by its id": ("list_engagements", {"queue_id": queue.cc_queue_id}, 1),
        "queue by its legacy id": ("list_engagements", {"queue_id": queue.queue_id}, 1),
        "queues": ("list_voice_calls", {"cc_queue_ids": (queue.queue_id, "x")}, 1),
        "user": ("list_engagements", {"user_id": queue.agents[0].user_id}, 1),
        "number": ("list_engagements", {"consumer_number": "+12015550101"}, 2),
        "channel": ("list_engagements", {"channel": "voice"}, 3),
        "other channel": ("list_engagements", {"channel": "email"}, 0),
        "direction": ("list_engagements", {"direction": "outbound"}, 1),
        "engagements": ("list_engagement_dataset", {"engagement_id": ("early", "late")}, 2),
        "members of arrays": ("list_voice_calls", {"types": ("external_call",)}, 3),
        "plural members": ("list_voice_calls", {"distribution": "acd"}, 2),
        "whether": ("list_recordings", {"exemption": "false"}, 3),
        "whether not": ("list_recordings", {"exemption": True}, 0),
        "two at once": (
            "list_engagements",
            {"direction": "inbound", "consumer_number": "+12015550101"},
            1,
        ),
        "unknown to the items": ("list_operation_logs", {"keyword": "x"}, 0),
        "paging": ("list_engagements", {"page_size": 1, "next_page_token": "x"}, 3),
    }


@pytest.mark.parametrize("name", queries(SimulatedAccount()))
def test_a_filter_keeps_what_it_names(account: SimulatedAccount, name: str) -> None:
    operation_name, query, count = queries(account)[name]
    assert len(account.list(operation_name, query=query)) == count


@pytest.mark.parametrize(
    ("zone", "query", "start_time", "to"),
    [
        (UTC, {}, "2025-03-01T08:00:00Z", "2025-03-01T14:00:00Z"),
        (UTC, {"from": "2025-03-01"}, "2025-03-01T08:00:00Z", "2025-03-01T14:00:00Z"),
        (
            timezone(timedelta(hours=5, minutes=30)),
            {"from": "2025-03-01T13:30:00+05:30"},
            "2025-03-01T13:30:00+05:30",
            "2025-03-01T19:30:00+05:30",
        ),
        (
            ZoneInfo("America/New_York"),
            {"from": "2025-03-01T03:00:00Z", "timezone": "America/New_York"},
            "2025-03-01T03:00:00Z",
            "2025-03-01T09:00:00Z",
        ),
    ],
)
def test_times_are_written_as_the_request_wrote_them(
    account: SimulatedAccount,
    zone: timezone,
    query: Mapping[str, QueryValue],
    start_time: str,
    to: str,
) -> None:
    """A ``Z`` means the zone of the parameter ``timezone`` in these operations, not UTC."""
    spans = {"from": TimeSpan(START.astimezone(zone), LATER.astimezone(zone))}
    listing = account.listing("list_engagements", query=query, spans=spans)
    assert listing.items[0]["start_time"] == start_time
    assert listing.more["to"] == to
    assert listing.more["timezone"] == query.get("timezone", "UTC")


def test_other_lists_write_times_in_utc(account: SimulatedAccount) -> None:
    zone = timezone(timedelta(hours=2))
    spans = {"from": TimeSpan(START.astimezone(zone), LATER.astimezone(zone))}
    query = {"from": "2025-03-01T10:00:00+02:00"}
    listing = account.listing("list_recordings", query=query, spans=spans)
    assert listing.items[0]["recording_start_time"] == "2025-03-01T08:00:02Z"
    assert listing.more["from"] == "2025-03-01T08:00:00Z"


def test_a_document_is_made_once_as_long_as_nothing_happens(account: SimulatedAccount) -> None:
    first, second = (account.list("list_engagements") for _ in range(2))
    assert first[0] is second[0]
