"""Pure: the errors of calls to Zoom, by fault.

One tree, by who has to act. `UnavailableError`: no one, it passes. `ForbiddenError`: the operator.
`RefusedError`: the author of the call. `ConflictError`: the requester of the change. `AbsentError`
is not a failure: Zoom answers that the entity does not exist. `zoom.http.response_errors` maps
answers to these classes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from runtime.errors import ConfigurationError, TransientError
from schemas.envelope import UnreadableError, read_json
from zoom.messages import ApiResponse

_max_retry_after_s: Final = 86_400.0
"""The daily limit ends within a day; a header that requests more is a mistake."""

_number: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
"""Twelve digits hold Unix seconds; a longer number is neither a time nor a delay."""


class ZoomFault(StrEnum):
    """Why a call brought no document; a closed set for labels and for who has to act."""

    TIMEOUT = "timeout"
    NETWORK = "network"
    RATE_LIMITED = "rate_limited"
    OVER_BUDGET = "over_budget"
    OUTAGE = "outage"
    NOT_READY = "not_ready"
    NOT_JSON = "not_json"
    UNEXPECTED = "unexpected"
    CREDENTIALS = "credentials"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - the word for a label
    MISSING_SCOPE = "missing_scope"
    NO_LICENCE = "no_licence"
    ROLE = "role"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"
    GONE = "gone"
    NO_ANSWER = "no_answer"


class ZoomError(Exception):
    """A call brought no document. The message holds nothing that was sent or received."""

    def __init__(self, fault: ZoomFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault


class UnavailableError(ZoomError, TransientError):
    """The API, or the path to it, does not answer as it should; it will pass.

    Whether a call that changes something was carried out is unknown, unless the fault is
    `ZoomFault.OVER_BUDGET` or `ZoomFault.RATE_LIMITED`: check before you send it again.
    """

    def __init__(
        self, fault: ZoomFault, detail: str, *, retry_after_s: float | None = None
    ) -> None:
        TransientError.__init__(self, f"{fault.value}: {detail}", retry_after_s=retry_after_s)
        self.fault = fault


class RateLimitedError(UnavailableError):
    """The account has exceeded its limit per second or per day."""


class OutageError(UnavailableError):
    """Zoom says that it failed."""


class NotReadyError(UnavailableError):
    """The entity exists, or soon will; Zoom has not finished it."""


class ForbiddenError(ZoomError, ConfigurationError):
    """The app may not call this: its credentials, its account or its user need an operator."""


class MissingScopeError(ForbiddenError):
    """The app lacks a scope; the message names those of which one suffices."""


class LicenceMissingError(ForbiddenError):
    """The app's user has no Contact Center licence, or the account has none left."""


class RoleError(ForbiddenError):
    """The role of the app's user lacks a privilege."""


class WritesNotAllowedError(ForbiddenError):
    """The operation changes something, and the client was not opened for that. Nothing was sent."""


class RefusedError(ZoomError):
    """The request itself is wrong: a defect, unless it carried only an id from elsewhere."""


class ArgumentError(RefusedError, ValueError):
    """An argument is wrong; nothing was sent. The message never holds the argument itself."""

    def __init__(self, operation: str, argument: str, expected: str) -> None:
        super().__init__(ZoomFault.REFUSED, f"{operation}: {argument}: {expected}")


class ConflictError(ZoomError):
    """The present state of the entity forbids the change: a legal hold, a lock, another state."""


class AbsentError(ZoomError):
    """Zoom's own answer: the entity does not exist."""


class NotFoundError(AbsentError):
    """It does not exist, or not for this app."""


class GoneError(AbsentError):
    """It existed."""


class NoAnswerError(AbsentError):
    """The customer did not answer the survey, or was not asked."""


operators_faults: Final = frozenset(
    {
        ZoomFault.CREDENTIALS,
        ZoomFault.TOKEN_REFUSED,
        ZoomFault.MISSING_SCOPE,
        ZoomFault.NO_LICENCE,
        ZoomFault.ROLE,
        ZoomFault.FORBIDDEN,
    }
)
"""They last until an operator acts; an immediate retry only raises the app's error ratio."""

_classes: Final[Mapping[ZoomFault, type[ZoomError]]] = {
    ZoomFault.RATE_LIMITED: RateLimitedError,
    ZoomFault.OUTAGE: OutageError,
    ZoomFault.NOT_READY: NotReadyError,
    ZoomFault.CREDENTIALS: ForbiddenError,
    ZoomFault.TOKEN_REFUSED: ForbiddenError,
    ZoomFault.MISSING_SCOPE: MissingScopeError,
    ZoomFault.NO_LICENCE: LicenceMissingError,
    ZoomFault.ROLE: RoleError,
    ZoomFault.FORBIDDEN: ForbiddenError,
    ZoomFault.REFUSED: RefusedError,
    ZoomFault.CONFLICT: ConflictError,
    ZoomFault.NOT_FOUND: NotFoundError,
    ZoomFault.GONE: GoneError,
    ZoomFault.NO_ANSWER: NoAnswerError,
}
"""All others are an `UnavailableError` and no more."""


def error_of(fault: ZoomFault, detail: str, *, retry_after_s: float | None = None) -> ZoomError:
    """Return an error of the fault's class."""
    kind = _classes.get(fault, UnavailableError)
    if issubclass(kind, UnavailableError):
        return kind(fault, detail, retry_after_s=retry_after_s)
    return kind(fault, detail)


def code_of(response: ApiResponse) -> int | None:
    """Return Zoom's error code, or None where the body has none."""
    try:
        return code_in(read_json(response.body))
    except UnreadableError:
        return None


def code_in(document: object) -> int | None:
    """Return Zoom's error code, a number or its digits, or None where the document has none."""
    code = document.get("code") if isinstance(document, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdecimal():
        return int(code[:9])
    return code if type(code) is int else None


def retry_after_s(response: ApiResponse, now: datetime) -> float | None:
    """Return the requested delay, between 0 and a day, or None where the answer requests none.

    ``Retry-After`` is seconds or an HTTP date by RFC 9110, and an ISO 8601 date at Zoom's daily
    limit. The limit per second has ``X-RateLimit-Reset`` instead, in Unix seconds. Decimals, which
    proxies write, are read as well; an unreadable header requests nothing. ``now`` is an aware
    datetime.
    """
    delay = response.headers.get("retry-after", "").strip()
    if _number.fullmatch(delay):
        return min(float(delay), _max_retry_after_s)
    if (until := moment_of(delay)) is not None:
        return _between(until, now)
    reset = response.headers.get("x-ratelimit-reset", "").strip()
    if _number.fullmatch(reset):
        return min(max(float(reset) - now.timestamp(), 0.0), _max_retry_after_s)
    return None


def moment_of(text: str) -> datetime | None:
    """Read the date of a header, by RFC 9110 or ISO 8601; None where it is not a valid time.

    The result is aware; a date without a zone is UTC. A number is not a date.
    """
    if _number.fullmatch(text):
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, OverflowError):  # the latter where a zone is years away
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _between(until: datetime, now: datetime) -> float:
    return min(max((until - now).total_seconds(), 0.0), _max_retry_after_s)
