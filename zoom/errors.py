"""Pure: what can go wrong between us and Zoom, and whose fault each is.

An answer is judged by its HTTP status first: one code of Zoom's stands under several statuses,
messages are localised, and an overloaded gateway answers without either. Codes decide only where
a status leaves two meanings (an expired token is a 401, at some operations a 400).
Source: Zoom Contact Center REST API, OpenAPI 3.1, responses; OAuth for server-to-server apps.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import orjson

from runtime.errors import ConfigurationError, TransientError
from zoom.exchange import Response

_expired_token_code: Final = 124
_unknown_token_user_code: Final = 1002
_longest_wish_s: Final = 86_400.0
"""The daily limit ends within a day; a header that asks for more is a mistake."""


_absences: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Fault(StrEnum):
    """Why a call gave no answer; a closed set for labels and for who has to act."""

    TIMEOUT = "timeout"
    NETWORK = "network"
    RATE_LIMITED = "rate_limited"
    OVER_BUDGET = "over_budget"
    OUTAGE = "outage"
    EMPTY = "empty"
    NOT_JSON = "not_json"
    UNEXPECTED = "unexpected"
    CREDENTIALS = "credentials"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - the word for a label
    FORBIDDEN = "forbidden"
    REFUSED = "refused"


class UnavailableError(TransientError):
    """The API, or the way to it, does not answer as it should; it will pass."""

    def __init__(self, fault: Fault, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{fault.value}: {detail}", retry_after_s=retry_after_s)
        self.fault = fault


class ForbiddenError(ConfigurationError):
    """The app may not ask this: its credentials, its scopes or its user need an operator."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault


class RefusedError(Exception):
    """The request itself is wrong: a defect, unless all that it carried was somebody's id."""

    fault: Final = Fault.REFUSED


ZoomError = UnavailableError | ForbiddenError | RefusedError

operators_faults: Final = frozenset({Fault.CREDENTIALS, Fault.TOKEN_REFUSED, Fault.FORBIDDEN})
"""They last until somebody acts; asking again at once only spoils the app's error ratio."""

_faults: Final[Mapping[int, Fault]] = {
    HTTPStatus.BAD_REQUEST: Fault.REFUSED,
    HTTPStatus.UNAUTHORIZED: Fault.TOKEN_REFUSED,
    HTTPStatus.FORBIDDEN: Fault.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS: Fault.RATE_LIMITED,
}
"""By status; from 500 on it is an outage, the rest is unexpected."""

_advice: Final = {
    Fault.TOKEN_REFUSED: "a new token is refused too; is the app active, is its user?",
    Fault.FORBIDDEN: "check the scopes of the app, and role and licence of its user",
    Fault.EMPTY: "no body",
}


def error_of(fault: Fault, detail: str, *, retry_after_s: float | None = None) -> ZoomError:
    """Make the error of the class that the fault belongs to."""
    if fault is Fault.REFUSED:
        return RefusedError(detail)
    if fault in operators_faults:
        return ForbiddenError(fault, detail)
    return UnavailableError(fault, detail, retry_after_s=retry_after_s)


def token_is_refused(response: Response) -> bool:
    """Whether the same request may succeed with a new token."""
    if response.status == HTTPStatus.UNAUTHORIZED:
        return code_of(response) != _unknown_token_user_code
    return response.status == HTTPStatus.BAD_REQUEST and code_of(response) == _expired_token_code


def error_in(response: Response, *, now: datetime) -> ZoomError | None:
    """Judge the answer of an operation; None where it is one: 200, or Zoom's own 404 and 410.

    ``now`` is an aware datetime, to which dates in headers are compared.
    """
    fault = _fault_in(response)
    if fault is None:
        return None
    code = code_of(response)
    said = f"status {response.status}" + ("" if code is None else f", code {code}")
    detail = f"{said}: {_advice[fault]}" if fault in _advice else said
    return error_of(fault, detail, retry_after_s=retry_after_s(response, now))


def _fault_in(response: Response) -> Fault | None:
    status = response.status
    if token_is_refused(response):
        return Fault.TOKEN_REFUSED
    if status == HTTPStatus.OK:
        return None if response.body.strip() else Fault.EMPTY
    if status in _absences:  # without a code it is not Zoom's: a gateway, or a wrong base URL
        return Fault.UNEXPECTED if code_of(response) is None else None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.OUTAGE
    return _faults.get(status, Fault.UNEXPECTED)


def error_in_token_answer(response: Response, *, now: datetime) -> ZoomError | None:
    """Judge the answer of the token endpoint; None where it may hold a token."""
    status = response.status
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wish_s = retry_after_s(response, now)
        return error_of(Fault.RATE_LIMITED, f"status {status} for a token", retry_after_s=wish_s)
    if (
        HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        and status != HTTPStatus.REQUEST_TIMEOUT
    ):
        return error_of(
            Fault.CREDENTIALS,
            f"status {status} for a token: check ZCC_ZOOM_ACCOUNT_ID, ZCC_ZOOM_CLIENT_ID, "
            "ZCC_ZOOM_CLIENT_SECRET and ZCC_ZOOM_OAUTH_URL, and that the app is activated",
        )
    return error_of(Fault.OUTAGE, f"status {status} for a token")


def code_of(response: Response) -> int | None:
    """Return Zoom's error code, or None where the body has none."""
    try:
        body: object = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdecimal():
        return int(code[:9])
    return code if type(code) is int else None


def retry_after_s(response: Response, now: datetime) -> float | None:
    """Return how long the answer asks to wait, between 0 and a day, or None where it does not.

    ``Retry-After`` is seconds or an HTTP date by RFC 9110, and an ISO 8601 date at Zoom's daily
    limit; at its limit per second there is ``X-RateLimit-Reset``, in Unix seconds.
    """
    wish = response.headers.get("retry-after", "").strip()
    if _is_number(wish):
        return min(float(wish), _longest_wish_s)
    if (until := _moment(wish)) is not None:
        return _between(until, now)
    reset = response.headers.get("x-ratelimit-reset", "").strip()
    if _is_number(reset):
        return min(max(float(reset) - now.timestamp(), 0.0), _longest_wish_s)
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12  # noqa: PLR2004 - Unix seconds


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _between(until: datetime, now: datetime) -> float:
    return min(max((until - now).total_seconds(), 0.0), _longest_wish_s)
