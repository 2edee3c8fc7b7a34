"""Pure: every response that a webhook can get, and the reasons, which are labels of metrics.

Zoom retries after 5xx, timeouts and broken connections, three times within 85 minutes, and never
after 3xx or 4xx (source: Zoom webhooks, retry rules). So a validly signed body never gets 3xx or
4xx, even if our settings, clock or proxies are wrong, as `table` shows.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple

from ingest.http.responses import Refusal, Response, refusals, unavailable, unavailable_unread


class Unavailable(StrEnum):
    """Why a signed request was answered 503."""

    DEADLINE = "deadline"
    BROKER = "broker"
    REFUSED = "refused"
    """Its topic and quarantine refuse it, and the spill fails or is not set up."""
    NETWORK = "network"
    CREDENTIAL = "credential"
    FOREIGN_ACCOUNT = "foreign_account"
    PATH = "path"
    """Signed with a secret of another app than the path's, or sent to an unknown path."""
    METHOD = "method"
    CLOCK = "clock"
    """Rightly signed at a time outside the window: one of the two clocks is wrong."""
    SECRET = "secret"  # noqa: S105 - a reason, and no secret
    """Signed with an unknown secret, soon after one was removed from the settings."""
    OVER_LIMIT = "over_limit"
    """Over a limit, with the headers of a signed request."""
    DEFECT = "defect"


not_signed: Final = Response(HTTPStatus.UNAUTHORIZED)
not_signed_but_encoded: Final = Response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
acknowledged: Final = Response(HTTPStatus.NO_CONTENT)


def challenge_met(answer: bytes) -> Response:
    """Return the answer to an endpoint validation, given its JSON."""
    return Response(HTTPStatus.OK, headers=((b"content-type", b"application/json"),), body=answer)


class ResponseRow(NamedTuple):
    """The response that some requests get, and whether Zoom sends them again."""

    what: str
    response: Response
    sent_again: str


_not_ours: Final = "no: not meant for us"
_not_from_zoom: Final = "no: not from Zoom"
_given_up: Final = "yes: Zoom has given up by itself before"
_person: Final = "yes: until a person has looked"

table: Final = (
    ResponseRow("no such app, and not signed", refusals[Refusal.UNKNOWN_APP], _not_ours),
    ResponseRow("not POST, and not signed", refusals[Refusal.METHOD], _not_ours),
    ResponseRow("signed, but to no app's path, or not POST", unavailable, _person),
    ResponseRow("not HTTP/1.1, or without a Host", refusals[Refusal.MALFORMED], _not_from_zoom),
    ResponseRow(
        "head over the limits, without a signature",
        refusals[Refusal.HEAD_TOO_LARGE],
        _not_from_zoom,
    ),
    ResponseRow(
        "body over the limit, without a signature",
        refusals[Refusal.TOO_LARGE],
        _not_from_zoom,
    ),
    ResponseRow("one of these two, and looks signed", unavailable_unread, _person),
    ResponseRow("head or body too slow", refusals[Refusal.TOO_SLOW], _given_up),
    ResponseRow("signature missing or wrong", not_signed, _not_from_zoom),
    ResponseRow("not signed, and with a content-encoding", not_signed_but_encoded, _not_from_zoom),
    ResponseRow("signature wrong, soon after a secret was removed", unavailable, "yes"),
    ResponseRow("signed, but at a time outside the window", unavailable, _person),
    ResponseRow("challenge, signed", challenge_met(b""), "no"),
    ResponseRow(
        "signed, and acknowledged by the broker: on its topic or on quarantine",
        acknowledged,
        "no",
    ),
    ResponseRow("signed, and stored in the spill", acknowledged, "no"),
    ResponseRow(
        "signed, and answered 204 before with this very signature",
        acknowledged,
        "no: stored already",
    ),
    ResponseRow(
        "signed, refused by its topic, and stored in quarantine or the spill",
        acknowledged,
        "no",
    ),
    ResponseRow("signed, from where or as whom the app does not allow it", unavailable, _person),
    ResponseRow("signed, of another account than the app's, for an hour", unavailable, _person),
    ResponseRow("signed, and our code failed: on quarantine", unavailable, "yes"),
    ResponseRow("signed, not acknowledged in time, or refused by all topics", unavailable, "yes"),
    ResponseRow("too many requests are under way", refusals[Refusal.OVERLOAD], "yes"),
    ResponseRow("the oldest of too many unfinished requests", refusals[Refusal.CROWDED_OUT], "yes"),
)
"""Every outcome of a request, in the order of the checks."""
