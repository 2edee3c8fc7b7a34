"""Every answer that a webhook can get, and the reasons, which are labels of metrics.

Zoom sends again after 5xx, time-outs and broken connections, three times within 85 minutes, and
never after 3xx or 4xx (source: Zoom webhooks, retry rules). So a validly signed body must not get
one of those:

| what | answer | sent again |
|---|---|---|
| no such app, not POST | 404, 405 | no: not meant for us |
| body over the limit | 413 | no: lost for good, counted as `Refusal.TOO_LARGE` |
| body too slow | 408, which comes after Zoom has given up by itself | yes |
| signature missing or wrong, or outside of the window | 401 | no: not from Zoom |
| challenge | 200 | |
| signed, and acknowledged by the broker, on its topic or on quarantine | 204 | |
| signed, not acknowledged in time, or refused by the broker | 503 | yes |
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from ingest.asgi import Answer


class Refusal(StrEnum):
    """Why a request was refused before its signature was looked at."""

    UNKNOWN_APP = "unknown_app"
    METHOD = "method"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    DISCONNECTED = "disconnected"
    """The client went away before its body was complete; nobody is there to be answered."""


class Unavailable(StrEnum):
    """Why a signed request was not kept."""

    DEADLINE = "deadline"
    BROKER = "broker"
    TOO_LARGE = "too_large"
    DEFECT = "defect"


class RefusedError(Exception):
    """The request ends here; ``reason`` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


refusals: Final[Mapping[Refusal, Answer | None]] = {
    Refusal.UNKNOWN_APP: Answer(HTTPStatus.NOT_FOUND, closes=True),
    Refusal.METHOD: Answer(
        HTTPStatus.METHOD_NOT_ALLOWED, headers=((b"allow", b"POST"),), closes=True
    ),
    Refusal.TOO_LARGE: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, closes=True),
    Refusal.TOO_SLOW: Answer(HTTPStatus.REQUEST_TIMEOUT, closes=True),
    Refusal.DISCONNECTED: None,
}

not_signed: Final = Answer(HTTPStatus.UNAUTHORIZED)
kept: Final = Answer(HTTPStatus.NO_CONTENT)
unavailable: Final = Answer(HTTPStatus.SERVICE_UNAVAILABLE, headers=((b"retry-after", b"5"),))
"""The seconds are for proxies and people; Zoom keeps to its own 5, 20 and 60 minutes."""


def challenge_met(answer: bytes) -> Answer:
    """Return the answer to an endpoint validation, given its JSON."""
    return Answer(HTTPStatus.OK, headers=((b"content-type", b"application/json"),), body=answer)
