"""What headers say of rate limits is taken in, and what cannot be read says nothing."""

from datetime import UTC, datetime

import pytest

from tests.support.fakes.zoom import reply
from zoom.limits import Label
from zoom.rate_limits.response_headers import RateLimitHint, rate_limit_hint

now = datetime(2026, 1, 1, 12, tzinfo=UTC)
soon = str(int(now.timestamp()) + 3)

light = Label.LIGHT


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, RateLimitHint(light, "second", None, None)),
        (
            200,
            {"category": "Heavy", "type": "QPS", "limit": "10", "remaining": "3"},
            RateLimitHint(Label.HEAVY, "second", 10, None),
        ),
        (200, {"category": "medium"}, RateLimitHint(Label.MEDIUM, "second", None, None)),
        (200, {"category": "Resource-intensive"}, RateLimitHint(light, "second", None, None)),
        (200, {"type": "Daily-limit", "limit": "30000"}, RateLimitHint(light, "day", 30_000, None)),
        (200, {"type": "daily"}, RateLimitHint(light, "day", None, None)),
        (200, {"type": "?", "limit": "many"}, RateLimitHint(light, "second", None, None)),
        (200, {"limit": "0"}, RateLimitHint(light, "second", None, None)),
        (200, {"limit": "-5"}, RateLimitHint(light, "second", None, None)),
        (200, {"limit": "1" * 4000}, RateLimitHint(light, "second", None, None)),
        (200, {"limit": "\u0663"}, RateLimitHint(light, "second", None, None)),
        (200, {"remaining": "0"}, RateLimitHint(light, "second", None, None)),
        (200, {"remaining": "0", "reset": soon}, RateLimitHint(light, "second", None, 3.0)),
        (200, {"remaining": "1", "reset": soon}, RateLimitHint(light, "second", None, None)),
        (200, {"remaining": "none", "reset": soon}, RateLimitHint(light, "second", None, None)),
        (
            200,
            {"remaining": "0", "reset": "99999999999"},
            RateLimitHint(light, "second", None, 60.0),
        ),
        (
            200,
            {"remaining": "0", "reset": soon + "000"},
            RateLimitHint(light, "second", None, None),
        ),
        (
            200,
            {"remaining": "0", "type": "Daily-limit", "reset": "99999999999"},
            RateLimitHint(light, "day", None, 86_400.0),
        ),
        (429, {}, RateLimitHint(light, "second", None, 1.0)),
        (429, {"reset": soon}, RateLimitHint(light, "second", None, 3.0)),
        (429, {"reset": "garbage"}, RateLimitHint(light, "second", None, 1.0)),
        (429, {"type": "Daily-limit"}, RateLimitHint(light, "day", None, 43_200.0)),
    ],
)
def test_each_header_is_taken_for_what_it_says(
    status: int, headers: dict[str, str], expected: RateLimitHint
) -> None:
    named = {f"x_ratelimit_{name}": value for name, value in headers.items()}
    assert rate_limit_hint(light, reply(status, **named), now) == expected


@pytest.mark.parametrize(
    ("wish", "window", "spent_for_s"),
    [
        ("7", "second", 7.0),
        ("120", "second", 120.0),
        ("2026-01-01T18:00:00Z", "day", 21_600.0),
        ("Thu, 01 Jan 2026 18:00:00 GMT", "day", 21_600.0),
        ("2025-12-31T00:00:00Z", "day", 0.0),
        ("", "second", 1.0),
        ("1.5", "second", 1.5),
        ("0.5", "second", 0.5),
        ("-1", "second", 1.0),
        ("30s", "second", 1.0),
        ("2, 3", "second", 1.0),
        ("Wed, 31 Nov 2026 10:00:00 GMT", "second", 1.0),
        ("20260102", "second", 300.0),
        ("99999999999", "second", 300.0),
        ("9" * 4000, "second", 1.0),
    ],
)
def test_retry_after_is_seconds_or_the_date_at_which_the_day_ends(
    wish: str, window: str, spent_for_s: float
) -> None:
    hint = rate_limit_hint(light, reply(429, retry_after=wish), now)
    assert (hint.window, hint.spent_for_s) == (window, spent_for_s)


@pytest.mark.parametrize("wish", ["1.5", "soon", "2026-01-01T12:00:05Z"])
def test_the_type_header_alone_tells_the_day_too(wish: str) -> None:
    hint = rate_limit_hint(light, reply(429, retry_after=wish, x_ratelimit_type="Daily-limit"), now)
    assert hint.window == "day"
    assert hint.spent_for_s == {"1.5": 1.5, "soon": 43_200.0}.get(wish, 5.0)


def test_a_type_that_nobody_knows_says_no_more_than_none() -> None:
    response = reply(429, retry_after="2026-01-01T18:00:00Z", x_ratelimit_type="?")
    assert rate_limit_hint(light, response, now) == RateLimitHint(light, "day", None, 21_600.0)


def test_a_type_that_is_given_goes_before_the_form_of_retry_after() -> None:
    response = reply(429, retry_after="2026-01-01T12:00:05Z", x_ratelimit_type="QPS")
    assert rate_limit_hint(light, response, now) == RateLimitHint(light, "second", None, 5.0)
