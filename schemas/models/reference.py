"""Records of the reference topic: the present state of a user, a queue, a team; logs; counts.

The key is ``account_id:entity:id``. A record without a value says that the entity is gone. A row of
a log has the id of its engagement; where several rows of a log have the same one, ``/`` and the
row's start follow it.
"""

from typing import Generic, Literal, TypeAlias, TypeVar

from .base import Deprecated, Maybe, Model, Moment, Open


class MemberTeam(Model):
    """A team to which a user or a queue belongs."""

    team_id: str
    team_name: Maybe[str] = None


class UserState(Model):
    """What the REST API says of a user. ``user_id`` is the one that events have."""

    user_id: str
    cc_user_id: Maybe[str] = None
    display_name: Maybe[str] = None
    user_email: Maybe[str] = None
    role_id: Maybe[str] = None
    role_name: Maybe[str] = None
    user_access: Maybe[Open[Literal["active", "inactive"]]] = None
    country_iso_code: Maybe[str] = None
    region_id: Maybe[str] = None
    region_name: Maybe[str] = None
    package_name: Maybe[str] = None
    teams: Maybe[tuple[MemberTeam, ...]] = None


class QueueState(Model):
    """What the REST API says of a queue. Times are seconds."""

    cc_queue_id: str
    queue_id: Deprecated[str] = None
    queue_name: Maybe[str] = None
    queue_description: Maybe[str] = None
    channel: Maybe[str] = None
    max_wait_time: Maybe[int] = None
    wrap_up_time: Maybe[int] = None
    service_level_threshold_in_seconds: Maybe[int] = None
    service_level_target_in_percentage: Maybe[int] = None
    teams: Maybe[tuple[MemberTeam, ...]] = None


class TeamState(Model):
    """What the REST API says of a team."""

    team_id: str
    team_name: Maybe[str] = None
    team_description: Maybe[str] = None
    parent_team_id: Maybe[str] = None
    parent_team_name: Maybe[str] = None


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


StateT_co = TypeVar("StateT_co", bound=Model, covariant=True)


class Reference(Model, Generic[StateT_co]):
    """One entity as it was at ``as_of``: when it was asked for, or when an event changed it."""

    entity: str
    account_id: str
    id: str
    as_of: Moment
    state: StateT_co


class UserReference(Reference[UserState]):
    """A user; ``id`` is the ``user_id``."""

    entity: Literal["user"]


class QueueReference(Reference[QueueState]):
    """A queue; ``id`` is the ``cc_queue_id``."""

    entity: Literal["queue"]


class TeamReference(Reference[TeamState]):
    """A team; ``id`` is the ``team_id``."""

    entity: Literal["team"]


class SmsLogReference(Reference[SmsLogState]):
    """A row of the log of text messages."""

    entity: Literal["sms_log"]


class VoiceCallLogReference(Reference[VoiceCallLogState]):
    """A row of the log of voice calls."""

    entity: Literal["voice_call_log"]


class ApiBudgetReference(Reference[ApiBudgetState]):
    """What is used of a day's limit of Zoom's API; ``id`` is ``worker/label/rank of the seat``."""

    entity: Literal["api_budget"]
