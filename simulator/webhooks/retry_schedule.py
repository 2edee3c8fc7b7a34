"""Pure: Zoom's reaction to an answer, and the time of its next attempt.

A delivery has four attempts: the first, and three retries. Zoom's hours and minutes pass
``time_scale`` times faster here, but the three seconds for an answer do not.

Source: Zoom webhooks, retry rules: 200 or 204 within 3 s is success; 5xx, network errors and
time-outs are tried again 5, 20 and 60 minutes after the attempt before; 3xx and 4xx never.
"""

from enum import StrEnum
from typing import Final, Literal

answer_limit_s: Final = 3.0
retry_delays_s: Final = (5 * 60.0, 20 * 60.0, 60 * 60.0)
"""Zoom's seconds from an attempt to the next, by the number of attempts already made less one."""

challenge_interval_s: Final = 72 * 60 * 60.0
"""Zoom's seconds from one validation of the endpoint to the next."""

Answer = int | Literal["network_error", "timeout"]
"""The HTTP status of an attempt, or why there is none."""


class Outcome(StrEnum):
    """The end of a delivery. ``GIVEN_UP`` was retried in vain, ``LOST`` was not retried."""

    ACCEPTED = "accepted"
    GIVEN_UP = "given_up"
    LOST = "lost"


def outcome_of(answer: Answer, *, attempts: int) -> Outcome | None:
    """Return the outcome after the last of ``attempts``; None: it is retried after `retry_delay_s`.

    A success status other than 200 and 204 is neither success nor a reason to retry.
    """
    if answer in (200, 204):
        return Outcome.ACCEPTED
    if isinstance(answer, int) and answer < 500:  # noqa: PLR2004 - the class of statuses
        return Outcome.LOST
    return None if attempts <= len(retry_delays_s) else Outcome.GIVEN_UP


def retry_delay_s(*, attempts: int, time_scale: float) -> float:
    """Return the real seconds to wait after so many attempts, 1 to 3."""
    return retry_delays_s[attempts - 1] / time_scale
