"""Pure: every answer that a webhook can get, and the reasons, which are labels of metrics.

Zoom sends again after 5xx, time-outs and broken connections, three times within 85 minutes, and
never after 3xx or 4xx (source: Zoom webhooks, retry rules). So a validly signed body must not get
one of those, whatever is wrong with our settings, clock or proxies, as `table` shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. ``closes``: the connection ends with it, because the body was not read."""

    status: HTTPStatus
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    closes: bool = False
    head: bytes = field(init=False, repr=False, compare=False)
    """Status line and headers as they are sent, but for those of the connection."""
    label: str = field(init=False, repr=False, compare=False)
    """The status, for metrics."""

    def __post_init__(self) -> None:
        """Write the head once for all requests that get this answer."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, self.status.phrase.encode())]
        lines += [b"%b: %b" % header for header in self.headers]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(b"content-length: %d" % len(self.body))
        object.__setattr__(self, "label", str(self.status.value))
        object.__setattr__(self, "head", b"\r\n".join(lines) + b"\r\n")


class Refusal(StrEnum):
    """Why a request was refused before its signature was looked at."""

    UNKNOWN_APP = "unknown_app"
    METHOD = "method"
    MALFORMED = "malformed"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    OVERLOAD = "overload"
    """More signed requests wait for the broker, or more bytes of bodies are held, than may be."""
    CROWDED_OUT = "crowded_out"
    """It was the oldest of too many that were not yet received whole."""
    DISCONNECTED = "disconnected"
    """The client went away before its body was complete; nobody is there to be answered."""


class Unavailable(StrEnum):
    """Why a signed request was answered 503."""

    DEADLINE = "deadline"
    BROKER = "broker"
    REFUSED = "refused"
    """Neither its topic nor quarantine takes it, and the spill, if there is one, fails."""
    NETWORK = "network"
    CREDENTIAL = "credential"
    FOREIGN_ACCOUNT = "foreign_account"
    PATH = "path"
    """Signed with a secret of another app than the path's, or to a path that is nobody's."""
    METHOD = "method"
    CLOCK = "clock"
    """Rightly signed at a time outside of the window: one of the two clocks is wrong."""
    SECRET = "secret"  # noqa: S105 - a reason, and no secret
    """Signed with a secret that we do not have, soon after one was taken out of the settings."""
    OVER_LIMIT = "over_limit"
    """Over a limit, and with headers as a signed request has them."""
    DEFECT = "defect"


unavailable: Final = Answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=((b"retry-after", b"5"),))
"""The seconds are for proxies and people; Zoom keeps to its own 5, 20 and 60 minutes."""

unavailable_unread: Final = replace(unavailable, closes=True)
"""For a body that was not read."""

refusals: Final[Mapping[Refusal, Answer]] = {
    Refusal.UNKNOWN_APP: Answer(HTTPStatus.NOT_FOUND, closes=True),
    Refusal.METHOD: Answer(
        HTTPStatus.METHOD_NOT_ALLOWED, headers=((b"allow", b"POST"),), closes=True
    ),
    Refusal.MALFORMED: Answer(HTTPStatus.BAD_REQUEST, closes=True),
    Refusal.HEAD_TOO_LARGE: Answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, closes=True),
    Refusal.TOO_LARGE: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, closes=True),
    Refusal.TOO_SLOW: Answer(HTTPStatus.REQUEST_TIMEOUT, closes=True),
    Refusal.OVERLOAD: unavailable,
    Refusal.CROWDED_OUT: Answer(
        HTTPStatus.SERVICE_UNAVAILABLE, headers=unavailable.headers, closes=True
    ),
}
"""What is sent for each refusal; nothing where nobody is there."""

not_signed: Final = Answer(HTTPStatus.UNAUTHORIZED)
not_signed_but_encoded: Final = Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
kept: Final = Answer(HTTPStatus.NO_CONTENT)


def challenge_met(answer: bytes) -> Answer:
    """Return the answer to an endpoint validation, given its JSON."""
    return Answer(HTTPStatus.OK, headers=((b"content-type", b"application/json"),), body=answer)


class Row(NamedTuple):
    """The answer that some requests get, and whether Zoom sends them again."""

    what: str
    answer: Answer
    sent_again: str


_not_ours: Final = "no: not meant for us"
_not_from_zoom: Final = "no: not from Zoom"
_given_up: Final = "yes: Zoom has given up by itself before"
_person: Final = "yes: until a person has looked"

table: Final = (
    Row("no such app, and not signed", refusals[Refusal.UNKNOWN_APP], _not_ours),
    Row("not POST, and not signed", refusals[Refusal.METHOD], _not_ours),
    Row("signed, but to no app's path, or not POST", unavailable, _person),
    Row("not HTTP/1.1, or without a Host", refusals[Refusal.MALFORMED], _not_from_zoom),
    Row(
        "head over the limits, and does not look signed",
        refusals[Refusal.HEAD_TOO_LARGE],
        _not_from_zoom,
    ),
    Row(
        "body over the limit, and does not look signed",
        refusals[Refusal.TOO_LARGE],
        _not_from_zoom,
    ),
    Row("one of these two, and looks signed", unavailable_unread, _person),
    Row("head or body too slow", refusals[Refusal.TOO_SLOW], _given_up),
    Row("signature missing or wrong", not_signed, _not_from_zoom),
    Row("not signed, and with a content-encoding", not_signed_but_encoded, _not_from_zoom),
    Row("signature wrong, soon after a secret was taken away", unavailable, "yes"),
    Row("signed, but at a time outside of the window", unavailable, _person),
    Row("challenge, signed", challenge_met(b""), "no"),
    Row("signed, and acknowledged by the broker: on its topic or on quarantine", kept, "no"),
    Row("signed, and kept in the spill", kept, "no"),
    Row("signed, and answered 204 before with this very signature", kept, "no: kept already"),
    Row("signed, refused by its topic, and kept in quarantine or the spill", kept, "no"),
    Row("signed, from where or as whom the app does not allow it", unavailable, _person),
    Row("signed, of another account than the app's, for an hour", unavailable, _person),
    Row("signed, and our code failed: on quarantine", unavailable, "yes"),
    Row("signed, not acknowledged in time, or refused by all topics", unavailable, "yes"),
    Row("too much is under way", refusals[Refusal.OVERLOAD], "yes"),
    Row("the oldest of too many that are not received whole", refusals[Refusal.CROWDED_OUT], "yes"),
)
"""Everything that can become of a request, in the order of the checks."""
