"""Pure: maps Zoom's answers to errors, in one table.

The HTTP status comes first: one code of Zoom's occurs under several statuses, messages are
localised, and an overloaded gateway answers without either. A code decides where a status is
ambiguous, the operation where a code is. Source: Zoom Contact Center REST API, OpenAPI 3.0,
responses; Zoom's OAuth errors, 4700 to 4741; the codes of missing scopes (104, 4711) as public
reports show them.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from schemas.envelope import UnreadableError, read_json
from zoom.catalogue import Operation, reply_schema
from zoom.errors import ZoomError, ZoomFault, code_in, code_of, error_of, retry_after_s
from zoom.messages import ApiResponse

young_s: Final = 60.0
"""A new entity may be reported missing for this long. Source: Zoom Contact Center REST API,
engagements: up to one minute after the end."""

_no_answer_status: Final = 444

_faults: Final[Mapping[int, ZoomFault]] = {
    HTTPStatus.BAD_REQUEST: ZoomFault.REFUSED,
    HTTPStatus.UNAUTHORIZED: ZoomFault.TOKEN_REFUSED,
    HTTPStatus.FORBIDDEN: ZoomFault.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ZoomFault.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: ZoomFault.OUTAGE,
    HTTPStatus.CONFLICT: ZoomFault.CONFLICT,
    HTTPStatus.GONE: ZoomFault.GONE,
    HTTPStatus.TOO_MANY_REQUESTS: ZoomFault.RATE_LIMITED,
    _no_answer_status: ZoomFault.NO_ANSWER,
}
"""By status; from 500 on it is an outage, any other status is unexpected."""

_redirects: Final = range(300, 400)

_need_a_code: Final = frozenset({ZoomFault.NOT_FOUND, ZoomFault.GONE})
"""Without a code the answer comes from a gateway, not from Zoom, or the base URL is wrong."""

_faults_by_code: Final[Mapping[tuple[int, int], ZoomFault]] = {
    (400, 104): ZoomFault.MISSING_SCOPE,
    (400, 4711): ZoomFault.MISSING_SCOPE,
    (401, 104): ZoomFault.MISSING_SCOPE,
    (401, 4711): ZoomFault.MISSING_SCOPE,
    (403, 104): ZoomFault.MISSING_SCOPE,
    (403, 4711): ZoomFault.MISSING_SCOPE,
    (400, 124): ZoomFault.TOKEN_REFUSED,
    (400, 4700): ZoomFault.TOKEN_REFUSED,
    (400, 4724): ZoomFault.TOKEN_REFUSED,
    (400, 4735): ZoomFault.TOKEN_REFUSED,
    (400, 4737): ZoomFault.TOKEN_REFUSED,
    (400, 4738): ZoomFault.TOKEN_REFUSED,
    (400, 4740): ZoomFault.TOKEN_REFUSED,
    (400, 4741): ZoomFault.TOKEN_REFUSED,
    (401, 1601): ZoomFault.ROLE,
    (403, 9001): ZoomFault.ROLE,
    (403, 1022): ZoomFault.NO_LICENCE,
    (400, 290010): ZoomFault.NO_LICENCE,  # none left
    (400, 1019): ZoomFault.FORBIDDEN,  # a feature that the account has not
    (400, 1214): ZoomFault.FORBIDDEN,
    (400, 1215): ZoomFault.FORBIDDEN,
    (400, 1503): ZoomFault.FORBIDDEN,
    (400, 4101): ZoomFault.FORBIDDEN,
    (400, 11006): ZoomFault.FORBIDDEN,
    (404, 1052): ZoomFault.FORBIDDEN,
    (400, 1003): ZoomFault.OUTAGE,
    (400, 4106): ZoomFault.OUTAGE,
    (400, 1107): ZoomFault.NOT_READY,
    (400, 4100): ZoomFault.NOT_READY,
    (400, 3201): ZoomFault.NOT_FOUND,  # the address names it, and it is not there
    (400, 4102): ZoomFault.NOT_FOUND,
    (400, 11004): ZoomFault.NOT_FOUND,
    (400, 4108): ZoomFault.CONFLICT,
    (403, 4106): ZoomFault.CONFLICT,
    (404, 10002): ZoomFault.CONFLICT,  # it is there, and in use
    (404, 10010): ZoomFault.CONFLICT,
    (404, 10019): ZoomFault.CONFLICT,
    (404, 300): ZoomFault.REFUSED,
    (404, 404): ZoomFault.NO_ANSWER,
}
"""Where (status, code) is more specific than the status."""

_faults_by_operation: Final[Mapping[tuple[str, int, int], ZoomFault]] = {
    ("list_region_users", 400, 400): ZoomFault.FORBIDDEN,
    ("assign_region_users", 400, 400): ZoomFault.FORBIDDEN,
    ("update_engagement_rtms_app_status", 400, 4101): ZoomFault.CONFLICT,
    ("update_engagement_rtms_app_status", 400, 4102): ZoomFault.CONFLICT,
    ("update_queue", 400, 1019): ZoomFault.REFUSED,  # of one member of its body
}
"""Where (status, code) has another meaning than elsewhere."""

_renewable_codes: Final = frozenset({None, 124, 4700, 4724, 4735, 4737, 4738, 4740, 4741})
"""Another token may work: this one is old, disabled or unreadable; without a code a gateway
answered."""

_advice: Final = {
    ZoomFault.TOKEN_REFUSED: "a new token is refused too; is the app active, is its user?",
    ZoomFault.NO_LICENCE: "give the user of the app a Contact Center licence, or the account more",
    ZoomFault.ROLE: "give the role of the app's user the privilege that the operation needs",
    ZoomFault.FORBIDDEN: "the user of the app is deactivated, or the account has not this feature",
}


def token_is_refused(response: ApiResponse) -> bool:
    """Return whether the same request may succeed with a new token; it was not carried out."""
    if response.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST):
        return False
    code = code_of(response)
    if code is None:
        return response.status == HTTPStatus.UNAUTHORIZED
    return code in _renewable_codes


def error_in(
    operation: Operation, response: ApiResponse, *, now: datetime, expected_since: datetime | None
) -> ZoomError | None:
    """Return the error of an operation's answer; None where its status means success.

    Until `young_s` after ``expected_since``, "not found" means not ready. Both times are aware
    datetimes.
    """
    status = response.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    code = code_of(response)
    fault = fault_of(operation, status, code)
    if fault is ZoomFault.NOT_FOUND and _is_young(expected_since, now):
        fault = ZoomFault.NOT_READY
    message = f"{operation.name}: status {status}" + ("" if code is None else f", code {code}")
    if fault is ZoomFault.MISSING_SCOPE:
        return missing_scope(operation, message)
    minimum_delay_s = retry_after_s(response, now)
    return error_of(
        fault, message + _advised(fault, status, minimum_delay_s), retry_after_s=minimum_delay_s
    )


def fault_of(operation: Operation, status: int, code: int | None) -> ZoomFault:
    """Return the fault of a status outside 2xx, with Zoom's code where the answer has one."""
    if code is not None:
        known = _faults_by_operation.get((operation.name, status, code))
        known = known or _faults_by_code.get((status, code))
        if known is not None:
            return known
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ZoomFault.OUTAGE
    fault = _faults.get(status, ZoomFault.UNEXPECTED)
    if (
        (fault in _need_a_code and code is None)
        or (fault is ZoomFault.NO_ANSWER and status not in operation.errors)
        or (fault is ZoomFault.CONFLICT and not operation.writes)
    ):
        return ZoomFault.UNEXPECTED
    return fault


def missing_scope(operation: Operation, message: str) -> ZoomError:
    """Return the error that names the scopes of which the operation needs one."""
    names = " or ".join(operation.scopes.all)
    return error_of(ZoomFault.MISSING_SCOPE, f"{message}: add to the app the scope {names}")


def document_in(operation: Operation, response: ApiResponse) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
    """Return the document of a successful answer, None where it has none.

    Raises:
        NotReadyError: it is empty where the operation reads something.
        UnavailableError: it is not JSON, or not a document of the operation, or holds an error.
    """
    promised = operation.reply.content_type is not None
    if not response.body.strip():
        if promised and not operation.writes:
            raise _unusable(operation, ZoomFault.NOT_READY, "an answer without a body")
        return None
    if promised and not _says_json(response):
        raise _unusable(operation, ZoomFault.NOT_JSON, "the reply is not sent as JSON")
    try:
        document: object = read_json(response.body)
    except UnreadableError:
        raise _unusable(operation, ZoomFault.NOT_JSON, "the reply is not JSON") from None
    if not isinstance(document, dict) and not (
        isinstance(document, list) and (reply_schema(operation) or {}).get("type") == "array"
    ):
        raise _unusable(operation, ZoomFault.UNEXPECTED, "the reply is JSON, but no such document")
    if (code := code_in(document)) is not None and "message" in document:
        detail = f"status {response.status}, but an error in the body, code {code}"
        raise _unusable(operation, ZoomFault.UNEXPECTED, detail)
    return document


def error_in_token_answer(response: ApiResponse, *, now: datetime) -> ZoomError | None:
    """Return the error of the token endpoint's answer; None where it may hold a token."""
    status, code = response.status, code_of(response)
    message = f"status {status}" + ("" if code is None else f", code {code}") + " for a token"
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return error_of(ZoomFault.RATE_LIMITED, message, retry_after_s=retry_after_s(response, now))
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not refused or status == HTTPStatus.REQUEST_TIMEOUT or code == _lookup_is_down:
        return error_of(ZoomFault.OUTAGE, message)
    advice = _token_advice.get(code or 0, _token_advice[0])
    return error_of(ZoomFault.CREDENTIALS, f"{message}: {advice}")


_lookup_is_down: Final = 4732

_token_advice: Final[Mapping[int, str]] = {
    0: "check ZCC_ZOOM_ACCOUNT_ID, ZCC_ZOOM_CLIENT_ID, ZCC_ZOOM_CLIENT_SECRET and "
    "ZCC_ZOOM_OAUTH_URL, and that the app is activated",
    4702: "check ZCC_ZOOM_CLIENT_ID and ZCC_ZOOM_CLIENT_SECRET: no app has both",
    4704: "check ZCC_ZOOM_CLIENT_ID and ZCC_ZOOM_CLIENT_SECRET: no app has both",
    4705: "check ZCC_ZOOM_OAUTH_URL, and that the app is one for server-to-server OAuth",
    4711: "the scopes of the app have changed: activate it again",
    4717: "the app is disabled: ask Zoom",
    4735: "the owner of the app is not in the account any more: make the app anew",
    4738: "an administrator of the account has disabled the app",
}
"""By code of Zoom's OAuth, 0 for all others."""


def _advised(fault: ZoomFault, status: int, minimum_delay_s: float | None) -> str:
    if fault in _advice:
        return f": {_advice[fault]}"
    if fault is ZoomFault.RATE_LIMITED and minimum_delay_s is not None:
        return f": retry in {ceil(minimum_delay_s)} s"
    if status in _redirects:
        return ": a redirect, which is not followed; is ZCC_ZOOM_API_URL right?"
    return ""


def _is_young(expected_since: datetime | None, now: datetime) -> bool:
    return expected_since is not None and (now - expected_since).total_seconds() < young_s


def _says_json(response: ApiResponse) -> bool:
    media_type = response.headers.get("content-type", "application/json").partition(";")[0]
    return media_type.strip().lower().endswith(("/json", "+json"))


def _unusable(operation: Operation, fault: ZoomFault, detail: str) -> ZoomError:
    return error_of(fault, f"{operation.name}: {detail}")
