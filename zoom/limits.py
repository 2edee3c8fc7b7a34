"""Pure: the account's rate limits, and the priorities of calls within them.

The limits apply to all apps of the account. So a deployment takes a share of them, and each of its
replicas a part of that share: see `zoom.rate_limits.per_second_limiter` and
`zoom.rate_limits.daily_quota`. Source: Zoom API rate limits, Contact Center; labels: Zoom Contact
Center REST API, OpenAPI 3.1.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple

Plan = Literal["pro", "business_plus"]


class Label(StrEnum):
    """The weight that Zoom gives to an operation."""

    LIGHT = "LIGHT"
    MEDIUM = "MEDIUM"
    HEAVY = "HEAVY"


class Priority(IntEnum):
    """The order of waiting calls: the lower number goes first."""

    ENRICHMENT = 0
    INTERACTIVE = 1
    OUTCOMES = 2
    BACKFILL = 3


class Limit(NamedTuple):
    """The account's limits of one label; ``per_day`` None = only the limit per second applies."""

    per_second: int
    per_day: int | None = None


plan_limits: Final[Mapping[Plan, Mapping[Label, Limit]]] = {
    "pro": {
        Label.LIGHT: Limit(20),
        Label.MEDIUM: Limit(10),
        Label.HEAVY: Limit(5, 15_000),
    },
    "business_plus": {
        Label.LIGHT: Limit(40),
        Label.MEDIUM: Limit(20),
        Label.HEAVY: Limit(10, 30_000),
    },
}
"""By plan. Resource-intensive operations share the day's limit; there are none."""
