"""An API that knows one engagement, each part of it as a test says."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from processors.outcomes.parts import Part
from schemas.headers import timestamp
from tests.support.fakes.zoom import VirtualClock, client_with, reply, token_reply
from zoom.client import ZoomClient
from zoom.messages import ApiResponse, Request

ENGAGEMENT = "E1"
ANOTHER = "E2"
"""Zoom has not finished it."""
PATHS: Mapping[str, Part] = {
    f"/engagements/{ENGAGEMENT}": Part.DETAILS,
    f"/engagements/{ENGAGEMENT}/events": Part.TIMELINE,
    f"/engagements/{ENGAGEMENT}/notes": Part.NOTES,
    f"/engagements/{ENGAGEMENT}/survey": Part.SURVEY,
    f"/engagements/{ENGAGEMENT}/recordings": Part.RECORDINGS,
    "/analytics/dataset/historical/engagement": Part.DATASET,
}
DETAILS: dict[str, Any] = {
    "engagement_id": ENGAGEMENT,
    "end_time": "2026-01-01T00:00:00Z",
    "channels": [{"channel": "voice"}],
    "talk_duration": 5,
}
DOCUMENTS: Mapping[Part, Any] = {
    Part.DETAILS: DETAILS,
    Part.TIMELINE: {"events": [{"event_name": "answered"}]},
    Part.NOTES: {"notes": [{"note_id": "N1"}]},
    Part.SURVEY: {"survey_id": "S1", "survey_results": [{"question_id": "q1"}]},
    Part.RECORDINGS: {"recordings": [{"recording_id": "R1"}]},
    Part.DATASET: {"engagements": [{"engagement_id": ENGAGEMENT, "hold_duration": 7}]},
}


class EngagementApi:
    """Answers each part with its document, or as ``answers`` says; keeps what was asked."""

    def __init__(self, **settings: object) -> None:
        self.clock = VirtualClock()
        self.answers: dict[Part, ApiResponse | Exception] = {
            part: reply(200, document) for part, document in DOCUMENTS.items()
        }
        self.calls: list[Part] = []
        self.requests: list[Request] = []
        self.client: ZoomClient = client_with(self, self.clock, **settings)

    async def send(self, request: Request) -> ApiResponse:
        if request.form:
            return token_reply()
        path = request.url.partition("?")[0].partition("/contact_center")[2]
        if path == f"/engagements/{ANOTHER}":
            return reply(200, {})
        part = PATHS[path]
        self.calls.append(part)
        self.requests.append(request)
        answer = self.answers[part]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ended_body(self, event: str = "engagement_ended", *, ago_s: float = 0.0) -> bytes:
        """The body of an event that happened so long ago."""
        at_ms = int((self.clock.now() - timedelta(seconds=ago_s)).timestamp() * 1000)
        return orjson.dumps(
            {
                "event": f"contact_center.{event}",
                "event_ts": at_ms,
                "payload": {
                    "account_id": "an-account",
                    "object": {"engagement_id": ENGAGEMENT, "date_time_ms": timestamp(at_ms)},
                },
            }
        )
