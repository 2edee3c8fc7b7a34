"""Pure: recordings and voicemails as documents."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import cast

from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.documents import ApiError, Document
from simulator.state import directory as kinds
from simulator.state.engagement import Engagement
from simulator.state.engagement_words import agent_facts
from simulator.state.engagements import absent, find_engagement
from simulator.state.entities import find_or_404
from simulator.state.links import link_to, served
from simulator.state.lists import listed
from simulator.state.schema_projection import Facts, fitted, fitted_item
from simulator.state.state import State


def record_answers(state: State) -> Mapping[str, Answer]:
    """Answer the operations about recordings and messages in inboxes."""
    return {
        "list_recordings": partial(_list_recordings, state, lambda _recording: True),
        "list_engagement_recordings": partial(_of_engagement, state),
        "list_user_recordings": partial(_of_user, state),
        "list_queue_recordings": partial(_of_queue, state),
        "delete_recording": partial(_delete_recording, state),
        "delete_engagement_recordings": partial(_delete_of_engagement, state),
        "get_engagement_recording_status": partial(_recorder, state),
        "list_messages_of_inboxes": partial(_list_messages, state),
        "list_inbox_messages": partial(_of_inbox, state),
        "delete_inbox_message": partial(_delete_message, state),
    }


def _list_recordings(
    state: State, wanted: Callable[[Facts], bool], request: RestRequest
) -> Listing:
    recordings = _recordings(state, request, state.engagements.values())
    return _listed(request, (recording for recording in recordings if wanted(recording)))


def _recordings(
    state: State, request: RestRequest, engagements: Iterable[Engagement]
) -> Iterator[Document]:
    return (
        _recording(state, request, engagement, recording)
        for engagement in engagements
        for recording in _finished(engagement)
    )


def _listed(request: RestRequest, recordings: Iterable[Document]) -> Listing:
    time = str(request.query.get("query_date_type", "recording_start_time"))
    return listed(request, recordings, time=time)


def _finished(engagement: Engagement) -> Iterator[Facts]:
    """Yield the recordings with available files."""
    return (
        recording
        for recording in engagement.recordings.values()
        if recording.get("completed") and not recording.get("deleted")
    )


def _recording(
    state: State, request: RestRequest, engagement: Engagement, payload: Facts
) -> Document:
    recording_id = str(payload["recording_id"])
    queue = state.directory.find(kinds.queue, str(payload.get("cc_queue_id"))) or {}
    known = [*cast("list[Facts]", payload.get("users") or []), *engagement.agents.values()]
    agent = agent_facts(known[0], state.directory) if known else {}
    consumers = cast("list[Facts]", payload.get("consumers") or list(engagement.consumers.values()))
    names = [
        {
            "consumer_name": consumer.get("consumer_display_name"),
            "consumer_number": consumer.get("consumer_number"),
        }
        for consumer in consumers
    ]
    facts = {**payload, **agent} | {
        "queue_id": queue.get("queue_id"),
        "queue_name": queue.get("queue_name", payload.get("queue_name")),
        "direction": payload.get("engagement_direction"),
        "download_url": link_to("recording", recording_id, origin=request.origin),
        "playback_url": link_to("recording_playback", recording_id, origin=request.origin),
        "transcript_url": served(payload.get("transcript_url"), origin=request.origin),
        "consumers": names,
        "exemption": False,
        "segment_type": "inbound",
    }
    return fitted_item(request.operation, facts)


def _of_engagement(state: State, request: RestRequest) -> Listing:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    return _listed(request, _recordings(state, request, [engagement]))


def _of_user(state: State, request: RestRequest) -> Listing:
    user = find_or_404(state, kinds.user, request.path["user_id"], request=request)
    return _list_recordings(state, lambda r: r.get("user_id") == user["user_id"], request)


def _of_queue(state: State, request: RestRequest) -> Listing:
    queue = find_or_404(state, kinds.queue, request.path["queue_id"], request=request)
    key = queue["cc_queue_id"]
    return _list_recordings(state, lambda r: r.get("cc_queue_id") == key, request)


def _delete_recording(state: State, request: RestRequest) -> None:
    recording_id = request.path["recording_id"]
    engagement = state.engagement_of_recording(recording_id)
    if engagement is None or engagement.recordings[recording_id].get("deleted"):
        raise absent(request)
    engagement.recordings[recording_id]["deleted"] = True


def _delete_of_engagement(state: State, request: RestRequest) -> None:
    for recording in find_engagement(
        state, request, request.path["engagement_id"]
    ).recordings.values():
        recording["deleted"] = True


def _recorder(state: State, request: RestRequest) -> Document:
    engagement = find_engagement(state, request, request.path["engagement_id"])
    if not engagement.is_voice:
        codes = request.operation.errors.get(400, (300,))
        raise ApiError(400, codes[0], "only voice and video engagements are recorded")
    payload = engagement.facts | {"engagement_id": engagement.engagement_id}
    return fitted(request.operation, {**payload, "statuses": engagement.recorder})


def _list_messages(state: State, request: RestRequest) -> Listing:
    documents = (
        _message(state, request, engagement, message)
        for engagement in state.engagements.values()
        for message in engagement.voicemails.values()
    )
    return listed(request, documents, time="created_at")


def _of_inbox(state: State, request: RestRequest) -> Listing:
    inbox = find_or_404(state, kinds.inbox, request.path["inbox_id"], request=request)
    documents = (
        _message(state, request, engagement, message)
        for engagement in state.engagements.values()
        for message in engagement.voicemails.values()
        if message.get("inbox_id") == inbox["inbox_id"]
    )
    return listed(request, documents, time="created_at")


def _message(
    state: State, request: RestRequest, engagement: Engagement, payload: Facts
) -> Document:
    """Return a voicemail; in a list of all inboxes its queue is called ``cci_queue_id``."""
    message_id = str(payload["message_id"])
    queue_id = payload.get("cc_queue_id", engagement.facts.get("cc_queue_id"))
    queue = state.directory.find(kinds.queue, str(queue_id)) or {}
    consumer: Facts = next(iter(engagement.consumers.values()), {})
    facts = {**payload, **consumer} | {
        "queue_id": queue.get("queue_id"),
        "cci_queue_id": queue.get("cc_queue_id"),
        "queue_name": queue.get("queue_name"),
        "message_type": "voicemail",
        "download_url": link_to("voicemail", message_id, origin=request.origin),
        "playback_url": link_to("voicemail_playback", message_id, origin=request.origin),
        "transcript_url": served(payload.get("transcript_url"), origin=request.origin),
    }
    return fitted_item(request.operation, facts)


def _delete_message(state: State, request: RestRequest) -> None:
    """Move a voicemail to the trash; one in the trash is deleted for good."""
    inbox = find_or_404(state, kinds.inbox, request.path["inbox_id"], request=request)
    message_id = request.path["message_id"]
    for engagement in state.engagements.values():
        message = engagement.voicemails.get(message_id)
        if message is not None and message.get("inbox_id") == inbox["inbox_id"]:
            if message.get("status") == "deleted":
                del engagement.voicemails[message_id]
            message["status"] = "deleted"
            return
    raise ApiError(404, 3101, "Inboxes: there is no message of this id")
