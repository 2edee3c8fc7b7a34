"""Pure: the state of the REST API, and how events change it."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

import orjson

from simulator.company import Company
from simulator.state.changes import DirectoryChange, apply_change, status_members
from simulator.state.engagement import Engagement
from simulator.state.reducer import apply_event
from simulator.state.schema_projection import Facts
from simulator.state.seed_data import directory_of
from simulator.stories import StoryEvent
from simulator.synthetic_values import to_the_second

max_history: Final = 5_000
"""Rows of users' states, less than 1 KB each."""


class State:
    """The state of one account's REST API.

    It keeps the newest ``max_engagements``, some 30 KB each. The details of one appear
    ``details_delay_s`` after its end.
    """

    def __init__(
        self, company: Company, *, max_engagements: int = 2_000, details_delay_s: float = 10.0
    ) -> None:
        self.account_id = company.account_id
        self.directory = directory_of(company)
        self.owner_id = company.supervisors[0].user_id
        self.engagements: OrderedDict[str, Engagement] = OrderedDict()
        self.status_history: deque[dict[str, object]] = deque(maxlen=max_history)
        self._max_engagements = max_engagements
        self._details_delay_s = details_delay_s
        self._status_of: dict[str, dict[str, object]] = {}
        self._engagement_of_recording: dict[str, str] = {}

    def happened(self, body: Mapping[str, Any], at: datetime) -> None:
        """Apply an event when it is first due; ``at`` is by the clock of requests.

        Each event once, in the order of its scenario.
        """
        event = body["event"].removeprefix("contact_center.")
        payload: Facts = body["payload"]["object"]
        at_ms = _occurred_ms(body["event_ts"], payload)
        by = str(payload.get("modified_by", self.owner_id))
        apply_change(self.directory, DirectoryChange(event, payload, to_the_second(at_ms), by))
        if event == "user_status_changed":
            self._status_changed(payload, at_ms)
        engagement = self._engagement(payload, at_ms)
        if engagement is not None:
            delay_s = self._details_delay_s
            apply_event(engagement, event, payload, at_ms=at_ms, now=at, delay_s=delay_s)

    def engagement_of_recording(self, recording_id: str) -> Engagement | None:
        """Return the engagement of this recording."""
        return self.engagements.get(self._engagement_of_recording.get(recording_id, ""))

    def _engagement(self, payload: Facts, at_ms: int) -> Engagement | None:
        """Return the engagement of an event; deletions of recordings name only the recording."""
        recording_id = cast("str | None", payload.get("recording_id"))
        engagement_id = cast("str | None", payload.get("engagement_id"))
        if engagement_id is None:
            return self.engagement_of_recording(recording_id) if recording_id else None
        if recording_id:
            self._engagement_of_recording[recording_id] = engagement_id
        if engagement_id not in self.engagements:
            self.engagements[engagement_id] = Engagement(engagement_id, at_ms)
            self._forget_oldest()
        return self.engagements[engagement_id]

    def _forget_oldest(self) -> None:
        while len(self.engagements) > self._max_engagements:
            _, oldest = self.engagements.popitem(last=False)
            for recording_id in oldest.recordings:
                self._engagement_of_recording.pop(recording_id, None)

    def _status_changed(self, payload: Facts, at_ms: int) -> None:
        user_id, time = str(payload["user_id"]), to_the_second(at_ms)
        former = self._status_of.pop(user_id, None)
        if former is not None:
            former["end_time"] = time
            former["duration"] = (at_ms - cast("int", former["start_ms"])) // 1000
        present = {name: payload.get(f"current_{name}") for name in status_members}
        row = present | {
            "user_id": user_id,
            "display_name": payload.get("display_name"),
            "start_time": time,
            "start_ms": at_ms,
        }
        self._status_of[user_id] = row
        self.status_history.append(row)


def apply_events(
    state: State, events: Iterator[StoryEvent], now: Callable[[], datetime]
) -> Iterator[StoryEvent]:
    """Yield the events, each applied to the state when it is taken."""
    for event in events:
        state.happened(orjson.loads(event.body), now())
        yield event


def _occurred_ms(event_ts_ms: int, payload: Facts) -> int:
    occurred = payload.get("date_time_ms")
    if not isinstance(occurred, str):
        return event_ts_ms
    return round(datetime.fromisoformat(occurred).timestamp() * 1000)
