"""Models of reference entities: queues, flows, routing profiles, inboxes, campaigns."""

from typing import Literal

from schemas.models.base import Deprecated, Maybe, Model, Open

from .record import MemberTeam, Reference


class ShortAbandon(Model):
    """Whether callers who leave within ``threshold`` seconds count as abandoned."""

    enable: Maybe[bool] = None
    threshold: Maybe[int] = None


class QueueState(Model):
    """What the REST API says of a queue. Times are seconds."""

    cc_queue_id: str
    queue_id: Deprecated[str] = None
    queue_name: Maybe[str] = None
    queue_description: Maybe[str] = None
    channel: Maybe[str] = None
    channel_types: Deprecated[tuple[str, ...]] = None
    max_wait_time: Maybe[int] = None
    wrap_up_time: Maybe[int] = None
    max_engagement_in_queue: Maybe[int] = None
    short_abandon: Maybe[ShortAbandon] = None
    service_level_threshold_in_seconds: Maybe[int] = None
    service_level_target_in_percentage: Maybe[int] = None
    service_level_exclude_short_abandoned_calls: Maybe[bool] = None
    service_level_exclude_long_abandoned_calls: Maybe[bool] = None
    service_level_exclude_abandoned_quit_engagements: Maybe[bool] = None
    agent_routing_profile_id: Maybe[str] = None
    agent_routing_profile_name: Maybe[str] = None
    consumer_routing_profile_id: Maybe[str] = None
    consumer_routing_profile_name: Maybe[str] = None
    teams: Maybe[tuple[MemberTeam, ...]] = None


class QueueReference(Reference[QueueState]):
    """A queue; ``id`` is the ``cc_queue_id``."""

    entity: Literal["queue"]


class FlowState(Model):
    """What the REST API says of a flow."""

    flow_id: str
    flow_name: Maybe[str] = None
    flow_description: Maybe[str] = None
    channel: Maybe[Open[Literal["voice", "video", "messaging", "email", "work_item"]]] = None
    channel_type: Deprecated[Open[Literal["voice", "chat", "sms", "video", "in_app_chat"]]] = None
    channel_source: Maybe[
        Open[
            Literal[
                "web_chat",
                "in_app_chat",
                "sms",
                "facebook_messenger",
                "whatsapp",
                "email_address",
                "api",
            ]
        ]
    ] = None
    status: Maybe[Open[Literal["draft", "published", "archived", "debugging"]]] = None


class FlowReference(Reference[FlowState]):
    """A flow; ``id`` is the ``flow_id``."""

    entity: Literal["flow"]


class FlowEntryPointState(Model):
    """What the REST API says of a flow entry point."""

    entry_id: str
    entry_name: Maybe[str] = None
    entry_number: Maybe[str] = None
    entry_email: Maybe[str] = None
    channel: Maybe[Open[Literal["voice", "video", "messaging", "email", "work_item"]]] = None
    channel_source: Maybe[
        Open[
            Literal[
                "sms",
                "web_chat",
                "in_app_chat",
                "team_chat",
                "email_address",
                "instagram",
                "facebook_messenger",
                "whatsapp",
                "api",
            ]
        ]
    ] = None


class FlowEntryPointReference(Reference[FlowEntryPointState]):
    """A flow entry point; ``id`` is the ``entry_id``."""

    entity: Literal["flow_entry_point"]


class QueueTemplateState(Model):
    """What the REST API says of a queue template."""

    template_id: str
    template_name: Maybe[str] = None
    template_description: Maybe[str] = None
    channel: Maybe[Open[Literal["voice", "video", "messaging", "email", "work_item"]]] = None
    template_type: Maybe[Open[Literal["add", "update"]]] = None
    template_status: Maybe[Open[Literal["active", "inactive"]]] = None


class QueueTemplateReference(Reference[QueueTemplateState]):
    """A queue template; ``id`` is the ``template_id``."""

    entity: Literal["queue_template"]


class AgentRoutingProfileState(Model):
    """What the REST API says of an agent routing profile. Times are seconds."""

    agent_routing_profile_id: str
    agent_routing_profile_name: Maybe[str] = None
    agent_routing_profile_description: Maybe[str] = None
    wait_time_agent_in_seconds: Maybe[int] = None


class AgentRoutingProfileReference(Reference[AgentRoutingProfileState]):
    """An agent routing profile; ``id`` is the ``agent_routing_profile_id``."""

    entity: Literal["agent_routing_profile"]


class ConsumerRoutingProfileState(Model):
    """What the REST API says of a consumer routing profile."""

    consumer_routing_profile_id: str
    consumer_routing_profile_name: Maybe[str] = None
    consumer_routing_profile_description: Maybe[str] = None


class ConsumerRoutingProfileReference(Reference[ConsumerRoutingProfileState]):
    """A consumer routing profile; ``id`` is the ``consumer_routing_profile_id``."""

    entity: Literal["consumer_routing_profile"]


class InboxState(Model):
    """What the REST API says of an inbox."""

    inbox_id: str
    inbox_name: Maybe[str] = None
    inbox_type: Maybe[Open[Literal["voicemail"]]] = None


class InboxReference(Reference[InboxState]):
    """An inbox; ``id`` is the ``inbox_id``."""

    entity: Literal["inbox"]


class OutboundCampaignState(Model):
    """What the REST API says of an outbound campaign."""

    outbound_campaign_id: str
    outbound_campaign_name: Maybe[str] = None
    outbound_campaign_description: Maybe[str] = None
    queue_id: Maybe[str] = None
    queue_name: Maybe[str] = None
    dialing_method: Maybe[Open[Literal["progressive", "preview", "agentless"]]] = None


class OutboundCampaignReference(Reference[OutboundCampaignState]):
    """An outbound campaign; ``id`` is the ``outbound_campaign_id``."""

    entity: Literal["outbound_campaign"]


class VariableGroupState(Model):
    """What the REST API says of a variable group."""

    variable_group_id: str
    variable_group_name: Maybe[str] = None
    variable_group_description: Maybe[str] = None
    variable_group_type: Maybe[Open[Literal["system", "custom"]]] = None


class VariableGroupReference(Reference[VariableGroupState]):
    """A variable group; ``id`` is the ``variable_group_id``."""

    entity: Literal["variable_group"]
