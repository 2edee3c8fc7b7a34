"""Pure: engagements, with their conversations and agreements, as documents."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, cast

from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.documents import ApiError, Document
from simulator.state import directory as kinds
from simulator.state.directory import derived_id
from simulator.state.engagement import Engagement
from simulator.state.engagement_words import engagement_facts, event_facts
from simulator.state.links import served
from simulator.state.lists import listed
from simulator.state.schema_projection import Facts, fitted, fitted_item
from simulator.state.state import State
from simulator.synthetic_values import to_the_second

no_answer_status: Final = 444
"""Zoom's own status for a survey that was sent and not answered."""

survey_choices: Final = ("Yes", "No")


def engagement_answers(state: State) -> Mapping[str, Answer]:
    """Answer the operations about engagements."""
    return {
        "get_engagement": partial(_get, state),
        "list_engagements": partial(_list, state),
        "list_open_engagements": partial(_list_open, state),
        "list_engagement_events": partial(_list_events, state),
        "get_engagement_survey": partial(_survey, state),
        "list_notes": partial(_list_notes, state),
        "list_engagement_notes": partial(_list_notes, state),
        "get_engagement_note": partial(_get_note, state),
        "update_engagement_note": partial(_update_note, state),
        "list_engagement_follow_up_tasks": partial(_list_tasks, state),
        "get_engagement_follow_up_task": partial(_get_task, state),
        "update_engagement_follow_up_task": partial(_update_task, state),
        "list_engagement_attachments": partial(_list_attachments, state),
        "list_messaging_messages": partial(_list_messages, state),
    }


def find_engagement(state: State, request: RestRequest, engagement_id: str) -> Engagement:
    """Return an engagement, open or ended.

    Raises:
        ApiError: 404: it is unknown.
    """
    engagement = state.engagements.get(engagement_id)
    if engagement is None:
        raise absent(request)
    return engagement


def absent(request: RestRequest, code: int = 404) -> ApiError:
    """Return the 404 of an operation, with the first of its codes for that."""
    codes = request.operation.errors.get(404) or (code,)
    return ApiError(404, codes[0], "Engagement: there is nothing of this id")


def shown_engagements(state: State, request: RestRequest) -> Iterator[Engagement]:
    """Yield the engagements with available details, the oldest first."""
    return (e for e in state.engagements.values() if e.is_shown(request.now))


def cached_item(
    engagement: Engagement, request: RestRequest, make: Callable[[], Facts]
) -> Document:
    """Return the item of an engagement, cached until the engagement changes."""
    key = f"{request.operation.name} {request.origin}"
    if key not in engagement.cached_items:
        engagement.cached_items[key] = fitted_item(request.operation, make())
    return engagement.cached_items[key]


def _get(state: State, request: RestRequest) -> Document:
    """Answer 404 until the end, then an empty body until the details are available."""
    engagement = find_engagement(state, request, request.path["engagement_id"])
    if engagement.shown_from is None:
        raise absent(request)
    if not engagement.is_shown(request.now):
        return {}
    return fitted(request.operation, _facts(state, request, engagement))


def _facts(state: State, request: RestRequest, engagement: Engagement) -> dict[str, object]:
    facts = engagement_facts(engagement, state.directory)
    return facts | {"transcript_url": served(engagement.transcript_url, origin=request.origin)}


def _list(state: State, request: RestRequest) -> Listing:
    documents = (
        cached_item(engagement, request, partial(_facts, state, request, engagement))
        for engagement in shown_engagements(state, request)
    )
    return listed(request, documents, time="start_time")


def _list_open(state: State, request: RestRequest) -> Listing:
    documents = (
        cached_item(engagement, request, partial(_open_facts, state, engagement))
        for engagement in state.engagements.values()
        if engagement.end_ms is None
    )
    return listed(request, documents)


def _open_facts(state: State, engagement: Engagement) -> dict[str, object]:
    lasting = engagement.durations
    if lasting.in_progress("hold"):
        status = "assigned(on_hold)"
    elif lasting.in_progress("conversation"):
        status = "assigned"
    elif lasting.in_progress("waiting"):
        status = "in_queue"
    elif lasting.in_progress("flow"):
        status = "in_flow"
    else:
        status = "ringing"
    return engagement_facts(engagement, state.directory) | {"status": status}


def _list_events(state: State, request: RestRequest) -> Listing:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    if not engagement.is_voice:
        codes = request.operation.errors.get(400, (300,))
        raise ApiError(400, codes[0], "only voice and video engagements have events")
    if not engagement.is_shown(request.now):
        raise absent(request)
    events = (fitted_item(request.operation, event_facts(event)) for event in engagement.events)
    listing = listed(request, events)
    return Listing(listing.items, {"engagement_id": engagement.engagement_id})


def _survey(state: State, request: RestRequest) -> Document:
    """Answer 404 where no survey was sent, and 444 where none was answered."""
    engagement = find_engagement(state, request, request.path["engagement_id"])
    if not engagement.survey_status:
        raise absent(request)
    if engagement.survey_status != "completed":
        code = request.operation.errors[no_answer_status][0]
        raise ApiError(no_answer_status, code, "the survey has no answer")
    facts = engagement.facts
    answers = engagement.survey_answers or {
        derived_id("question", facts["survey_id"]): to_the_second(engagement.start_ms)
    }
    results = [
        {
            "question_id": question_id,
            "question_name": "Was your question answered?",
            "question_type": 0,
            "question_order": order,
            "date_time": time,
            "answer": survey_choices[order % 2],
        }
        for order, (question_id, time) in enumerate(answers.items())
    ]
    level = 0 if facts.get("survey_trigger_from") == "queue" else 1
    more = {"survey_trigger_level": level, "survey_results": results}
    queue = state.directory.find(kinds.queue, str(facts.get("cc_queue_id"))) or {}
    names = {"survey_name": "Satisfaction", "queue_id": queue.get("cc_queue_id")}
    return fitted(request.operation, {**facts, **names, **more})


def _note_facts(engagement: Engagement, note: Facts) -> dict[str, object]:
    return dict(note) | {"engagement_id": engagement.engagement_id}


def _list_notes(state: State, request: RestRequest) -> Listing:
    engagements: Iterator[Engagement] = iter(state.engagements.values())
    if "engagement_id" in request.path:
        engagements = iter([find_engagement(state, request, request.path["engagement_id"])])
    notes = (
        fitted_item(request.operation, _note_facts(engagement, note))
        for engagement in engagements
        for note in engagement.notes.values()
    )
    return listed(request, notes)


def _note(state: State, request: RestRequest) -> tuple[Engagement, dict[str, object]]:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    note = engagement.notes.get(request.path["note_id"])
    if note is None:
        raise absent(request)
    return engagement, note


def _get_note(state: State, request: RestRequest) -> Document:
    return fitted(request.operation, _note_facts(*_note(state, request)))


def _update_note(state: State, request: RestRequest) -> None:
    engagement, note = _note(state, request)
    note |= dict(cast("Facts", request.body or {})) | {"last_modified_time": _now(request)}
    engagement.cached_items.clear()


def _list_tasks(state: State, request: RestRequest) -> Listing:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    tasks = engagement.follow_up_tasks.values()
    return listed(request, (fitted_item(request.operation, task) for task in tasks))


def _task(state: State, request: RestRequest) -> dict[str, object]:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    task = engagement.follow_up_tasks.get(request.path["task_id"])
    if task is None:
        raise absent(request)
    return task


def _get_task(state: State, request: RestRequest) -> Document:
    return fitted(request.operation, _task(state, request))


def _update_task(state: State, request: RestRequest) -> None:
    changes = dict(cast("Facts", request.body or {})) | {"update_time": _now(request)}
    _task(state, request).update(changes)


def _list_attachments(state: State, request: RestRequest) -> Listing:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    attachments = (
        {
            "attachment_id": file["file_id"],
            "engagement_id": engagement.engagement_id,
            "attachment_name": file.get("file_name"),
            "attachment_size": file.get("file_size"),
            "attachment_type": file.get("file_type"),
            "attachment_url": served(file.get("download_url"), origin=request.origin),
        }
        for file in engagement.files.values()
    )
    return listed(request, (fitted_item(request.operation, a) for a in attachments))


def _list_messages(state: State, request: RestRequest) -> Listing:
    """List the messages in order of time unless ``direction`` requests the reverse.

    Here ``backward`` is the order of time, although mail calls that ``forward``.
    """
    engagement = state.engagements.get(str(request.query["engagement_id"]))
    if engagement is None:
        raise absent(request, 2901)
    messages = [
        fitted_item(request.operation, _message_facts(message, ordinal, request.origin))
        for ordinal, message in enumerate(engagement.messages)
    ]
    if request.query.get("direction") == "forward":
        messages.reverse()
    return listed(request, messages)


def _message_facts(message: Facts, ordinal: int, origin: str) -> dict[str, object]:
    sender = ("consumer_id", "consumer_display_name")
    if not message["by_consumer"]:
        sender = ("user_id", "user_display_name")
    content: dict[str, object] = {"type": "text", "value": message.get("message_text")}
    if "file" in message:
        file = cast("Facts", message["file"])
        link = served(file.get("download_url"), origin=origin)
        content = {"type": "attachment", "value": link}
    return {
        "message_id": derived_id("message", message["engagement_id"], ordinal),
        "content": content,
        "sent_time": message["sent_time"],
        "sender_participant_id": message.get(sender[0], ""),
        "sender_participant_name": message.get(sender[1], ""),
        "message_type": "general",
    }


def _now(request: RestRequest) -> str:
    return to_the_second(round(request.now.timestamp() * 1000))
