"""Pure: reduces an engagement's events to its current state."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Final, cast

from simulator.state.engagement import Engagement
from simulator.state.schema_projection import Facts
from simulator.synthetic_values import to_the_second

closes: Final = ("task_completed", "task_canceled", "task_deleted")
"""The last of these is the end of a mail or a work item, because no event reports their end."""

timeline: Final = ("engagement_", "consumer_messaging_")
"""The prefixes of events in the readable history of an engagement."""

not_timeline: Final = (
    "engagement_note_",
    "engagement_follow_up_",
    "engagement_survey_",
    "engagement_messaging_transcript_",
    "engagement_email_transcript_",
)

recorder: Final[Mapping[str, str]] = {
    "recording_started": "start",
    "recording_paused": "pause",
    "recording_resumed": "resume",
    "recording_stopped": "stop",
}
"""The REST API's names of a recorder's actions."""

always_sent: Final = ("legacy_engagement_end_data_ready", "cx_engagement_end_data_ready")


def apply_event(
    engagement: Engagement, event: str, payload: Facts, *, at_ms: int, now: datetime, delay_s: float
) -> None:
    """Apply an event, named without ``contact_center.``, to its engagement.

    The details appear ``delay_s`` after the end, or with the event that announces them.
    """
    engagement.cached_items.clear()
    engagement.facts |= {name: value for name, value in payload.items() if value is not None}
    if event == "engagement_started":
        engagement.start_ms = at_ms
    _record_participants(engagement, event, payload)
    engagement.durations.apply(
        event, at_ms=at_ms, task_status=payload.get("task_status"), is_voice=engagement.is_voice
    )
    _collect(engagement, event, payload, at_ms)
    if event in closes:
        engagement.closed_ms = at_ms
    if event == "engagement_ended":
        _end(engagement, at_ms, now + timedelta(seconds=delay_s))
    elif event in always_sent:
        _end(engagement, engagement.closed_ms or at_ms, now)


def _end(engagement: Engagement, end_ms: int, shown_from: datetime) -> None:
    if engagement.end_ms is None:
        engagement.end_ms = end_ms
        engagement.durations.over(end_ms)
    engagement.shown_from = min(engagement.shown_from or shown_from, shown_from)


def _record_participants(engagement: Engagement, event: str, payload: Facts) -> None:
    """Record the participants; persons in other events, such as inboxes', do not take part."""
    _upsert(engagement.channels, payload, "channel", "channel_source")
    _upsert(engagement.flows, payload, "flow_id", "flow_name")
    _upsert(engagement.queues, payload, "cc_queue_id", "queue_id", "queue_name")
    if event.startswith("engagement_"):
        _upsert(engagement.agents, payload, "user_id", "user_display_name", "teams")
    names = ("consumer_display_name", "consumer_number", "consumer_email")
    for consumer in (payload, *_items(payload, "consumers")):
        _upsert(engagement.consumers, consumer, "consumer_id", *names)


def _collect(engagement: Engagement, event: str, payload: Facts, at_ms: int) -> None:
    for beginning, collect in _collectors.items():
        if event.startswith(beginning):
            collect(engagement, event, payload, at_ms)
    engagement.transfers += event == "engagement_transfer_initiated"
    engagement.monitored |= event == "engagement_monitor_started"
    if event.startswith(timeline) and not event.startswith(not_timeline):
        kind = event.removeprefix("engagement_")
        engagement.events.append(
            dict(payload) | {"event": kind, "start_time": to_the_second(at_ms)}
        )


def _dispositioned(engagement: Engagement, _event: str, payload: Facts, _at_ms: int) -> None:
    _upsert(engagement.dispositions, payload, "disposition_id", "disposition_name", "user_id")


def _note_added(engagement: Engagement, _event: str, payload: Facts, _at_ms: int) -> None:
    _upsert(engagement.notes, payload, "note_id", *payload)


def _followed_up(engagement: Engagement, event: str, payload: Facts, at_ms: int) -> None:
    time = to_the_second(at_ms)
    times = {"create_time": time} if event.endswith("_created") else {}
    facts = dict(payload) | times | {"update_time": time}
    _upsert(engagement.follow_up_tasks, facts, "task_id", *facts)


def _transcribed(engagement: Engagement, _event: str, payload: Facts, _at_ms: int) -> None:
    engagement.transcript_url = payload["transcript_url"]


def _surveyed(engagement: Engagement, _event: str, payload: Facts, at_ms: int) -> None:
    engagement.survey_status = str(payload["survey_status"])
    if engagement.survey_status == "question_submitted" and "survey_question_id" in payload:
        engagement.survey_answers[str(payload["survey_question_id"])] = to_the_second(at_ms)


def _written(engagement: Engagement, event: str, payload: Facts, at_ms: int) -> None:
    """Record a message: a text or a file; in either case the event names agent and consumer."""
    by_consumer = event.startswith("engagement_consumer_")
    sent = dict(payload) | {"sent_time": to_the_second(at_ms), "by_consumer": by_consumer}
    if "message_text" in payload:
        engagement.messages.append(sent)
    for file in _items(payload, "files"):
        _upsert(engagement.files, file, "file_id", *file)
        engagement.messages.append(sent | {"file": file})


def _recorded(engagement: Engagement, event: str, payload: Facts, at_ms: int) -> None:
    """Record the times of its start and stop; not every event of a recording has them."""
    recording = engagement.recordings.setdefault(str(payload["recording_id"]), {})
    recording |= {name: value for name, value in payload.items() if value is not None}
    time = to_the_second(at_ms)
    if event in recorder:
        engagement.recorder.append({"status": recorder[event], "last_modified_time": time})
    if event == "recording_started":
        recording |= {"recording_start_time": time, "started_ms": at_ms}
    elif event == "recording_stopped":
        started_ms = cast("int", recording.get("started_ms", at_ms))
        recording |= {
            "recording_end_time": time,
            "recording_duration": (at_ms - started_ms) // 1000,
        }
    elif event == "recording_completed":
        recording["completed"] = True
    elif event.endswith("_deleted"):
        recording["deleted"] = True


def _voicemail(engagement: Engagement, event: str, payload: Facts, at_ms: int) -> None:
    message_id = str(payload["message_id"])
    if event == "inbox_message_received":
        payload = dict(payload) | {"created_at": to_the_second(at_ms), "status": "normal"}
    elif payload.get("delete_type") == "Soft delete":
        payload = dict(payload) | {"status": "deleted"}
    elif event == "inbox_message_deleted":
        engagement.voicemails.pop(message_id, None)
        return
    _upsert(engagement.voicemails, payload, "message_id", *payload)


def _upsert(
    by_id: MutableMapping[str, dict[str, object]], payload: Facts, key: str, *more: str
) -> None:
    """Add or update an entity by its id, with those of these facts that are present."""
    if isinstance(payload.get(key), str):
        known = by_id.setdefault(cast("str", payload[key]), {key: payload[key]})
        known |= {name: payload[name] for name in more if payload.get(name) is not None}


def _items(payload: Facts, member: str) -> Iterator[Facts]:
    yield from cast("list[Facts]", payload.get(member, []))


_collectors: Final[Mapping[str, Callable[[Engagement, str, Facts, int], None]]] = {
    "engagement_disposition_added": _dispositioned,
    "engagement_note_added": _note_added,
    "engagement_follow_up_task_": _followed_up,
    "engagement_messaging_transcript_": _transcribed,
    "engagement_survey_status": _surveyed,
    "engagement_consumer_sent_": _written,
    "engagement_user_sent_": _written,
    "recording_": _recorded,
    "inbox_message_": _voicemail,
    "voicemail_": _voicemail,
}
"""The function for an event, by the prefix of its name."""
