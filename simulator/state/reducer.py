"""Pure: how an engagement's events become what is known of it."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Final, cast

from simulator.state.engagement import Engagement
from simulator.state.schema_projection import Facts
from simulator.synthetic_values import to_the_second

closes: Final = ("task_completed", "task_canceled", "task_deleted")
"""The last of these is the end of a mail or a work item, since no event says that it ended."""

timeline: Final = ("engagement_", "consumer_messaging_")
"""How the names of events begin that a person reads in the history of an engagement."""

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
"""What the REST API calls it when a recorder does something."""

surely_told: Final = ("legacy_engagement_end_data_ready", "cx_engagement_end_data_ready")


def apply_event(
    engagement: Engagement, event: str, told: Facts, *, at_ms: int, now: datetime, delay_s: float
) -> None:
    """Learn from an event of an engagement, named without ``contact_center.``.

    The details appear ``delay_s`` after the end, or with the event that says they are there.
    """
    engagement.said.clear()
    engagement.facts |= {name: value for name, value in told.items() if value is not None}
    if event == "engagement_started":
        engagement.start_ms = at_ms
    _record_participants(engagement, event, told)
    engagement.durations.heard(
        event, at_ms=at_ms, task_status=told.get("task_status"), spoken=engagement.spoken
    )
    _collect(engagement, event, told, at_ms)
    if event in closes:
        engagement.closed_ms = at_ms
    if event == "engagement_ended":
        _end(engagement, at_ms, now + timedelta(seconds=delay_s))
    elif event in surely_told:
        _end(engagement, engagement.closed_ms or at_ms, now)


def _end(engagement: Engagement, end_ms: int, shown_from: datetime) -> None:
    if engagement.end_ms is None:
        engagement.end_ms = end_ms
        engagement.durations.over(end_ms)
    engagement.shown_from = min(engagement.shown_from or shown_from, shown_from)


def _record_participants(engagement: Engagement, event: str, told: Facts) -> None:
    """Get to know who and what takes part; whom other events name, such as inboxes', does not."""
    _learn(engagement.channels, told, "channel", "channel_source")
    _learn(engagement.flows, told, "flow_id", "flow_name")
    _learn(engagement.queues, told, "cc_queue_id", "queue_id", "queue_name")
    if event.startswith("engagement_"):
        _learn(engagement.agents, told, "user_id", "user_display_name", "teams")
    names = ("consumer_display_name", "consumer_number", "consumer_email")
    for consumer in (told, *_items(told, "consumers")):
        _learn(engagement.consumers, consumer, "consumer_id", *names)


def _collect(engagement: Engagement, event: str, told: Facts, at_ms: int) -> None:
    for beginning, collect in _collectors.items():
        if event.startswith(beginning):
            collect(engagement, event, told, at_ms)
    engagement.transfers += event == "engagement_transfer_initiated"
    engagement.monitored |= event == "engagement_monitor_started"
    if event.startswith(timeline) and not event.startswith(not_timeline):
        kind = event.removeprefix("engagement_")
        engagement.events.append(dict(told) | {"event": kind, "start_time": to_the_second(at_ms)})


def _dispositioned(engagement: Engagement, _event: str, told: Facts, _at_ms: int) -> None:
    _learn(engagement.dispositions, told, "disposition_id", "disposition_name", "user_id")


def _noted(engagement: Engagement, _event: str, told: Facts, _at_ms: int) -> None:
    _learn(engagement.notes, told, "note_id", *told)


def _followed_up(engagement: Engagement, event: str, told: Facts, at_ms: int) -> None:
    time = to_the_second(at_ms)
    times = {"create_time": time} if event.endswith("_created") else {}
    facts = dict(told) | times | {"update_time": time}
    _learn(engagement.follow_up_tasks, facts, "task_id", *facts)


def _transcribed(engagement: Engagement, _event: str, told: Facts, _at_ms: int) -> None:
    engagement.transcript_url = told["transcript_url"]


def _surveyed(engagement: Engagement, _event: str, told: Facts, at_ms: int) -> None:
    engagement.survey_status = str(told["survey_status"])
    if engagement.survey_status == "question_submitted" and "survey_question_id" in told:
        engagement.survey_answers[str(told["survey_question_id"])] = to_the_second(at_ms)


def _written(engagement: Engagement, event: str, told: Facts, at_ms: int) -> None:
    """A message has a text or a file; in either case the event names agent and consumer."""
    by_consumer = event.startswith("engagement_consumer_")
    sent = dict(told) | {"sent_time": to_the_second(at_ms), "by_consumer": by_consumer}
    if "message_text" in told:
        engagement.messages.append(sent)
    for file in _items(told, "files"):
        _learn(engagement.files, file, "file_id", *file)
        engagement.messages.append(sent | {"file": file})


def _recorded(engagement: Engagement, event: str, told: Facts, at_ms: int) -> None:
    """Times come from when it started and stopped; not every event of a recording tells them."""
    recording = engagement.recordings.setdefault(str(told["recording_id"]), {})
    recording |= {name: value for name, value in told.items() if value is not None}
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


def _voicemail(engagement: Engagement, event: str, told: Facts, at_ms: int) -> None:
    message_id = str(told["message_id"])
    if event == "inbox_message_received":
        told = dict(told) | {"created_at": to_the_second(at_ms), "status": "normal"}
    elif told.get("delete_type") == "Soft delete":
        told = dict(told) | {"status": "deleted"}
    elif event == "inbox_message_deleted":
        engagement.voicemails.pop(message_id, None)
        return
    _learn(engagement.voicemails, told, "message_id", *told)


def _learn(
    found: MutableMapping[str, dict[str, object]], told: Facts, key: str, *more: str
) -> None:
    """Know something by its id, with those of these facts that are told."""
    if isinstance(told.get(key), str):
        known = found.setdefault(cast("str", told[key]), {key: told[key]})
        known |= {name: told[name] for name in more if told.get(name) is not None}


def _items(told: Facts, member: str) -> Iterator[Facts]:
    yield from cast("list[Facts]", told.get(member, []))


_collectors: Final[Mapping[str, Callable[[Engagement, str, Facts, int], None]]] = {
    "engagement_disposition_added": _dispositioned,
    "engagement_note_added": _noted,
    "engagement_follow_up_task_": _followed_up,
    "engagement_messaging_transcript_": _transcribed,
    "engagement_survey_status": _surveyed,
    "engagement_consumer_sent_": _written,
    "engagement_user_sent_": _written,
    "recording_": _recorded,
    "inbox_message_": _voicemail,
    "voicemail_": _voicemail,
}
"""Who collects what an event tells, by how its name begins."""
