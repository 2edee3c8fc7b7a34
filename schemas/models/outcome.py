"""Records of the topic of engagement outcomes: what Zoom's API tells of an engagement that ended.

The key is that of the engagement's events, ``account_id:engagement_id``. Durations are
milliseconds, whatever the API counts in. Personal texts are there only where the deployment lets
them in.
"""

from typing import Literal

from .base import Maybe, Model, Moment, Open


class OutcomeChannel(Model):
    """A channel that the engagement used."""

    channel: Maybe[Open[Literal["voice", "video", "messaging", "email"]]] = None
    channel_source: Maybe[str] = None


class OutcomeFlow(Model):
    """A flow through which it went."""

    flow_id: Maybe[str] = None
    flow_name: Maybe[str] = None
    flow_version: Maybe[str] = None


class OutcomeQueue(Model):
    """A queue in which it was."""

    cc_queue_id: Maybe[str] = None
    queue_name: Maybe[str] = None


class OutcomeAgent(Model):
    """A user who took part."""

    user_id: Maybe[str] = None
    display_name: Maybe[str] = None


class OutcomeConsumer(Model):
    """A consumer who took part."""

    consumer_id: Maybe[str] = None
    consumer_display_name: Maybe[str] = None
    consumer_number: Maybe[str] = None


class OutcomeDurations(Model):
    """How long it was in each phase.

    Exact from version 2 of Zoom's API; until that has answered, and for ``flow_ms`` and
    ``waiting_ms``, whole seconds from version 1. Only version 2 knows ``hold_ms``.
    """

    total_ms: Maybe[int] = None
    flow_ms: Maybe[int] = None
    waiting_ms: Maybe[int] = None
    talking_ms: Maybe[int] = None
    hold_ms: Maybe[int] = None
    handling_ms: Maybe[int] = None
    wrap_up_ms: Maybe[int] = None


class OutcomeDisposition(Model):
    """What a user chose as its result."""

    disposition_id: Maybe[str] = None
    disposition_name: Maybe[str] = None


class OutcomeMoment(Model):
    """An entry of its history, of voice and video alone."""

    start_time: Maybe[Moment] = None
    event_name: Maybe[str] = None
    channel: Maybe[Open[Literal["voice", "video"]]] = None
    channel_source: Maybe[str] = None
    event_content: Maybe[str] = None


class OutcomeNote(Model):
    """A note about it; ``user_id`` is of the last user who wrote."""

    note_id: Maybe[str] = None
    user_id: Maybe[str] = None
    last_modified_time: Maybe[Moment] = None
    note: Maybe[str] = None


class SurveyAnswer(Model):
    """The answer to one question of a survey."""

    question_id: Maybe[str] = None
    question_name: Maybe[str] = None
    question_type: Maybe[int] = None
    question_order: Maybe[int] = None
    date_time: Maybe[Moment] = None
    numeric_answer: Maybe[int] = None
    answer: Maybe[str] = None


class OutcomeSurvey(Model):
    """The survey; not ``answered``: the consumer did not answer, or was not asked."""

    answered: bool
    survey_id: Maybe[str] = None
    survey_name: Maybe[str] = None
    results: Maybe[tuple[SurveyAnswer, ...]] = None


class OutcomeRecording(Model):
    """A recording, without the links to its files."""

    recording_id: Maybe[str] = None
    recording_type: Maybe[Open[Literal["on_demand", "automatic"]]] = None
    channel: Maybe[Open[Literal["voice", "video"]]] = None
    direction: Maybe[Open[Literal["inbound", "outbound"]]] = None
    recording_start_time: Maybe[Moment] = None
    recording_end_time: Maybe[Moment] = None
    duration_ms: Maybe[int] = None
    owner_type: Maybe[Open[Literal["user", "queue"]]] = None
    owner_id: Maybe[str] = None
    user_id: Maybe[str] = None
    display_name: Maybe[str] = None
    cc_queue_id: Maybe[str] = None
    segment_type: Maybe[str] = None
    exemption: Maybe[bool] = None


class MissingPart(Model):
    """What Zoom did not tell. ``forbidden`` is for the operator, ``absent`` is final."""

    part: Open[Literal["details", "dataset", "timeline", "notes", "survey", "recordings"]]
    reason: Open[Literal["not_ready", "absent", "unavailable", "forbidden"]]


class OutcomeState(Model):
    """What came of an engagement. A part that is missing, or does not apply, has no member."""

    start_time: Maybe[Moment] = None
    end_time: Maybe[Moment] = None
    direction: Maybe[Open[Literal["inbound", "outbound"]]] = None
    queue_wait_type: Maybe[Open[Literal["live_waiting", "callback"]]] = None
    channels: Maybe[tuple[OutcomeChannel, ...]] = None
    flows: Maybe[tuple[OutcomeFlow, ...]] = None
    queues: Maybe[tuple[OutcomeQueue, ...]] = None
    agents: Maybe[tuple[OutcomeAgent, ...]] = None
    consumers: Maybe[tuple[OutcomeConsumer, ...]] = None
    durations: Maybe[OutcomeDurations] = None
    voicemails: Maybe[int] = None
    dispositions: Maybe[tuple[OutcomeDisposition, ...]] = None
    timeline: Maybe[tuple[OutcomeMoment, ...]] = None
    notes: Maybe[tuple[OutcomeNote, ...]] = None
    survey: Maybe[OutcomeSurvey] = None
    recordings: Maybe[tuple[OutcomeRecording, ...]] = None


OutcomeStatus = Open[Literal["complete", "partial", "unavailable"]]


class EngagementOutcome(Model):
    """A record of the topic.

    ``partial``: a part is missing, and a later snapshot may have it. ``unavailable``: Zoom told
    nothing in time; ``outcome`` is empty.
    """

    entity: Literal["engagement_outcome"]
    account_id: str
    engagement_id: str
    as_of: Moment
    status: OutcomeStatus
    outcome: OutcomeState
    missing: tuple[MissingPart, ...]


class EnrichedOutcome(OutcomeState):
    """The member ``outcome`` in the enrichment of an event that ended an engagement."""

    status: OutcomeStatus
    as_of: Moment
    missing: tuple[MissingPart, ...]
