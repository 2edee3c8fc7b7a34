"""Pure: the account's rate limits, and whose calls go first within them.

The limits count for all apps of the account, so a deployment takes a share of them, and each of its
replicas the part of its seat: see `zoom.rate_limits.per_second_limiter` and
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
    """Whose turn comes first: of two that wait, the lower number goes."""

    ENRICHMENT = 0
    INTERACTIVE = 1
    BACKFILL = 2


class Limit(NamedTuple):
    """What an account may ask of one label; ``per_day`` None = as much as the seconds allow."""

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
"""Of each plan. The day's limit is shared with resource-intensive operations; there are none."""
