"""Pure: reads the account's rate limits from the headers of an answer.

All headers may be missing, and an unreadable one says nothing. ``X-RateLimit-Category`` names the
label; ``-Type`` says whether ``-Limit`` and ``-Remaining`` refer to a second or to the day. A spent
limit per second ends at ``-Reset``, the day's at ``Retry-After``, which is a date then. Source:
Zoom API rate limits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import Final, Literal

from zoom.errors import moment_of, retry_after_s
from zoom.limits import Label
from zoom.messages import ApiResponse

Window = Literal["second", "day"]

_pause_s: Final = 1.0
"""After a 429 without a readable delay: its limit is per second."""

_max_refusal_s: Final = 300.0
"""A limit per second ends sooner; a 429 that requests more is a mistake, or a proxy's."""

_max_second_s: Final = 60.0
"""A longer reset without a refusal comes from a clock that differs from ours."""

_max_number: Final = 9
_per_second: Final = "qps"


@dataclass(frozen=True, slots=True)
class RateLimitHint:
    """The state of one limit by an answer; ``spent_for_s`` None = it is not spent."""

    label: Label
    window: Window
    limit: int | None
    spent_for_s: float | None


def rate_limit_hint(label: Label, response: ApiResponse, now: datetime) -> RateLimitHint:
    """Read the answer to a call of this label; ``now`` is an aware datetime."""
    headers = response.headers
    window = _window(response)
    spent_for_s: float | None = None
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        spent_for_s = retry_after_s(response, now)
        if spent_for_s is None:
            spent_for_s = _pause_s if window == "second" else _to_midnight_s(now)
        elif window == "second":
            spent_for_s = min(spent_for_s, _max_refusal_s)
    elif _number(headers.get("x-ratelimit-remaining")) == 0:
        spent_for_s = retry_after_s(response, now)
        if spent_for_s is not None and window == "second":
            spent_for_s = min(spent_for_s, _max_second_s)
    named = headers.get("x-ratelimit-category", "").strip().upper()
    return RateLimitHint(
        label=Label(named) if named in Label.__members__ else label,
        window=window,
        limit=_number(headers.get("x-ratelimit-limit")) or None,
        spent_for_s=spent_for_s,
    )


def _window(response: ApiResponse) -> Window:
    """Return the limit that an answer refers to: the day's only where it says so.

    It says so by the type, or by a date in a refusal: only the day's limit has one.
    """
    kind = response.headers.get("x-ratelimit-type", "").strip().lower()
    if kind.startswith("dai"):
        return "day"
    if kind == _per_second or response.status != HTTPStatus.TOO_MANY_REQUESTS:
        return "second"
    return "day" if moment_of(response.headers.get("retry-after", "").strip()) else "second"


def _to_midnight_s(now: datetime) -> float:
    tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return (tomorrow - now).total_seconds()


def _number(text: str | None) -> int | None:
    text = "" if text is None else text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _max_number else None
