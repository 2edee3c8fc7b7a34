"""Pure: every answer that a webhook can get, and the reasons, which are labels of metrics.

Zoom sends again after 5xx, time-outs and broken connections, three times within 85 minutes, and
never after 3xx or 4xx (source: Zoom webhooks, retry rules). So a validly signed body must not get
one of those, whatever is wrong with our settings, clock or proxies, as `table` shows.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple

from ingest.http.responses import Answer, Refusal, refusals, unavailable, unavailable_unread


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


not_signed: Final = Answer(HTTPStatus.UNAUTHORIZED)
not_signed_but_encoded: Final = Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
kept: Final = Answer(HTTPStatus.NO_CONTENT)


def challenge_met(answer: bytes) -> Answer:
    """Return the answer to an endpoint validation, given its JSON."""
    return Answer(HTTPStatus.OK, headers=((b"content-type", b"application/json"),), body=answer)


class AnswerRow(NamedTuple):
    """The answer that some requests get, and whether Zoom sends them again."""

    what: str
    answer: Answer
    sent_again: str


_not_ours: Final = "no: not meant for us"
_not_from_zoom: Final = "no: not from Zoom"
_given_up: Final = "yes: Zoom has given up by itself before"
_person: Final = "yes: until a person has looked"

table: Final = (
    AnswerRow("no such app, and not signed", refusals[Refusal.UNKNOWN_APP], _not_ours),
    AnswerRow("not POST, and not signed", refusals[Refusal.METHOD], _not_ours),
    AnswerRow("signed, but to no app's path, or not POST", unavailable, _person),
    AnswerRow("not HTTP/1.1, or without a Host", refusals[Refusal.MALFORMED], _not_from_zoom),
    AnswerRow(
        "head over the limits, and does not look signed",
        refusals[Refusal.HEAD_TOO_LARGE],
        _not_from_zoom,
    ),
    AnswerRow(
        "body over the limit, and does not look signed",
        refusals[Refusal.TOO_LARGE],
        _not_from_zoom,
    ),
    AnswerRow("one of these two, and looks signed", unavailable_unread, _person),
    AnswerRow("head or body too slow", refusals[Refusal.TOO_SLOW], _given_up),
    AnswerRow("signature missing or wrong", not_signed, _not_from_zoom),
    AnswerRow("not signed, and with a content-encoding", not_signed_but_encoded, _not_from_zoom),
    AnswerRow("signature wrong, soon after a secret was taken away", unavailable, "yes"),
    AnswerRow("signed, but at a time outside of the window", unavailable, _person),
    AnswerRow("challenge, signed", challenge_met(b""), "no"),
    AnswerRow("signed, and acknowledged by the broker: on its topic or on quarantine", kept, "no"),
    AnswerRow("signed, and kept in the spill", kept, "no"),
    AnswerRow("signed, and answered 204 before with this very signature", kept, "no: kept already"),
    AnswerRow("signed, refused by its topic, and kept in quarantine or the spill", kept, "no"),
    AnswerRow("signed, from where or as whom the app does not allow it", unavailable, _person),
    AnswerRow("signed, of another account than the app's, for an hour", unavailable, _person),
    AnswerRow("signed, and our code failed: on quarantine", unavailable, "yes"),
    AnswerRow("signed, not acknowledged in time, or refused by all topics", unavailable, "yes"),
    AnswerRow("too much is under way", refusals[Refusal.OVERLOAD], "yes"),
    AnswerRow(
        "the oldest of too many that are not received whole", refusals[Refusal.CROWDED_OUT], "yes"
    ),
)
"""Everything that can become of a request, in the order of the checks."""
