"""Models of rows of logs, and of the counts of the API's use."""

from typing import Literal, TypeAlias

from schemas.models.base import Deprecated, Maybe, Model, Moment, Open

from .record import Reference


class LogQueue(Model):
    """A queue in which an engagement was."""

    queue_id: Deprecated[str] = None
    cc_queue_id: Maybe[str] = None
    queue_name: Maybe[str] = None


class LogAgent(Model):
    """A user who took part in an engagement."""

    user_id: Maybe[str] = None
    display_name: Maybe[str] = None


class CallAgent(LogAgent):
    """A user who took part in a call."""

    user_email: Maybe[str] = None


class LogFlow(Model):
    """A flow through which a call went."""

    flow_id: Maybe[str] = None
    flow_name: Maybe[str] = None


class SmsLogState(Model):
    """A row of the log of text messages; other members are kept as they come."""

    engagement_id: str
    direction: Maybe[Open[Literal["inbound", "outbound"]]] = None
    contact_center_number: Maybe[str] = None
    consumer_number: Maybe[str] = None
    consumer_display_name: Maybe[str] = None
    start_time: Maybe[Moment] = None
    end_time: Maybe[Moment] = None
    queues: Maybe[tuple[LogQueue, ...]] = None
    agents: Maybe[tuple[LogAgent, ...]] = None
    country_name: Maybe[str] = None
    sms_types: Maybe[tuple[Open[Literal["sms", "mms"]], ...]] = None
    total_sent_messages: Maybe[int] = None
    total_received_messages: Maybe[int] = None
    total_sent_files: Maybe[int] = None
    total_received_files: Maybe[int] = None


NumberType: TypeAlias = Open[Literal["toll_free_number", "virtual_service_number", "byoc_number"]]


class VoiceCallLogState(Model):
    """A row of the log of voice calls; ``total_duration`` is seconds. Others are kept."""

    engagement_id: str
    direction: Maybe[Open[Literal["inbound", "outbound"]]] = None
    call_legs: Maybe[tuple[Open[Literal["inbound", "outbound"]], ...]] = None
    distributions: Maybe[tuple[Open[Literal["acd", "non_acd"]], ...]] = None
    types: Maybe[tuple[str, ...]] = None
    sub_types: Maybe[tuple[str, ...]] = None
    caller_number: Maybe[str] = None
    caller_number_type: Maybe[NumberType] = None
    callee_number: Maybe[str] = None
    callee_number_type: Maybe[NumberType] = None
    start_time: Maybe[Moment] = None
    end_time: Maybe[Moment] = None
    total_duration: Maybe[int] = None
    consumer_number: Maybe[str] = None
    consumer_display_name: Maybe[str] = None
    queues: Maybe[tuple[LogQueue, ...]] = None
    agents: Maybe[tuple[CallAgent, ...]] = None
    flows: Maybe[tuple[LogFlow, ...]] = None
    country_name: Maybe[str] = None
    recorded: Maybe[bool] = None
    monitored: Maybe[bool] = None
    inbox: Maybe[bool] = None
    result: Maybe[str] = None
    caller_id: Maybe[str] = None
    calling_party: Maybe[Open[Literal["consumer", "agent"]]] = None
    charge: Maybe[str] = None
    rates: Maybe[tuple[str, ...]] = None
    charge_type: Maybe[str] = None


class ApiBudgetState(Model):
    """Calls of one seat of a worker on one day (UTC), ``before`` its generation and in all."""

    day: str
    generation: int
    before: int
    used: int


class SmsLogReference(Reference[SmsLogState]):
    """A row of the log of text messages."""

    entity: Literal["sms_log"]


class VoiceCallLogReference(Reference[VoiceCallLogState]):
    """A row of the log of voice calls."""

    entity: Literal["voice_call_log"]


class ApiBudgetReference(Reference[ApiBudgetState]):
    """What is used of a day's limit of Zoom's API; ``id`` is ``worker/label/rank of the seat``."""

    entity: Literal["api_budget"]
