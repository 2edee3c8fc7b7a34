"""The member ``enrichment`` of an event on an enriched topic.

An operator chooses which fields go in: any of them may be missing from all events.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from .base import Deprecated, Maybe, Model, Moment, Open
from .outcome import EnrichedOutcome

EntityName: TypeAlias = Open[
    Literal[
        "user",
        "queue",
        "flow",
        "team",
        "disposition",
        "skill",
        "role",
        "system_status",
        "inbox",
        "business_hour",
        "closure_set",
        "asset",
        "asset_category",
    ]
]


class TeamName(Model):
    """A team to which a user or a queue belongs."""

    team_id: Maybe[str] = None
    team_name: Maybe[str] = None


class UserFields(Model):
    """What is known of a user. The name of the user is there unless the operator leaves it out."""

    user_id: Maybe[str] = None
    display_name: Maybe[str] = None
    user_email: Maybe[str] = None
    role_name: Maybe[str] = None
    region_name: Maybe[str] = None
    country_iso_code: Maybe[str] = None
    cc_user_id: Maybe[str] = None
    role_id: Maybe[str] = None
    client_integration: Maybe[str] = None
    user_access: Maybe[str] = None
    region_id: Maybe[str] = None
    package_name: Maybe[str] = None
    teams: Maybe[tuple[TeamName, ...]] = None


class QueueFields(Model):
    """What is known of a queue. Times are seconds."""

    cc_queue_id: Maybe[str] = None
    queue_name: Maybe[str] = None
    channel: Maybe[str] = None
    queue_id: Deprecated[str] = None
    queue_description: Maybe[str] = None
    max_wait_time: Maybe[int] = None
    wrap_up_time: Maybe[int] = None
    max_engagement_in_queue: Maybe[int] = None
    service_level_threshold_in_seconds: Maybe[int] = None
    service_level_target_in_percentage: Maybe[int] = None
    agent_routing_profile_name: Maybe[str] = None
    consumer_routing_profile_name: Maybe[str] = None
    teams: Maybe[tuple[TeamName, ...]] = None


class FlowFields(Model):
    """What is known of a flow."""

    flow_id: Maybe[str] = None
    flow_name: Maybe[str] = None
    channel: Maybe[str] = None
    status: Maybe[str] = None
    flow_description: Maybe[str] = None
    channel_source: Maybe[str] = None


class TeamFields(Model):
    """What is known of a team."""

    team_id: Maybe[str] = None
    team_name: Maybe[str] = None
    parent_team_id: Maybe[str] = None
    parent_team_name: Maybe[str] = None
    team_description: Maybe[str] = None


class DispositionFields(Model):
    """What is known of a disposition."""

    disposition_id: Maybe[str] = None
    disposition_name: Maybe[str] = None
    disposition_type: Maybe[str] = None
    disposition_description: Maybe[str] = None
    status: Maybe[str] = None
    sub_dispositions: Maybe[tuple[Mapping[str, object], ...]] = None


class SkillFields(Model):
    """What is known of a skill."""

    skill_id: Maybe[str] = None
    skill_name: Maybe[str] = None
    skill_type: Maybe[str] = None
    skill_category_name: Maybe[str] = None
    skill_category_id: Maybe[str] = None
    max_proficiency_level: Maybe[int] = None


class RoleFields(Model):
    """What is known of a role."""

    role_id: Maybe[str] = None
    role_name: Maybe[str] = None
    role_description: Maybe[str] = None


class SystemStatusFields(Model):
    """What is known of a status of users, or of a reason not to be ready."""

    status_id: Maybe[str] = None
    status_name: Maybe[str] = None
    status_category: Maybe[str] = None
    status_type: Maybe[str] = None
    enable: Maybe[bool] = None


class InboxFields(Model):
    """What is known of an inbox."""

    inbox_id: Maybe[str] = None
    inbox_name: Maybe[str] = None
    inbox_type: Maybe[str] = None


class BusinessHourFields(Model):
    """What is known of business hours."""

    business_hour_id: Maybe[str] = None
    business_hour_name: Maybe[str] = None
    timezone: Maybe[str] = None
    account_default: Maybe[bool] = None
    hours: Maybe[Mapping[str, object]] = None


class ClosureSetFields(Model):
    """What is known of a set of closures."""

    closure_set_id: Maybe[str] = None
    closure_set_name: Maybe[str] = None
    timezone: Maybe[str] = None
    account_default: Maybe[bool] = None
    closures: Maybe[tuple[Mapping[str, object], ...]] = None


class AssetFields(Model):
    """What is known of an asset."""

    asset_id: Maybe[str] = None
    asset_name: Maybe[str] = None
    asset_type: Maybe[str] = None
    category_name: Maybe[str] = None
    category_id: Maybe[str] = None
    asset_description: Maybe[str] = None
    asset_language_code: Maybe[str] = None
    archived: Maybe[bool] = None
    archived_time: Maybe[Moment] = None


class AssetCategoryFields(Model):
    """What is known of a category of assets."""

    category_id: Maybe[str] = None
    category_name: Maybe[str] = None
    category_scope: Maybe[str] = None


class EnrichedEntities(Model):
    """What is known of the entities of each kind, by the ids that the event has for them."""

    user: Mapping[str, UserFields] = Field(default_factory=dict)
    queue: Mapping[str, QueueFields] = Field(default_factory=dict)
    flow: Mapping[str, FlowFields] = Field(default_factory=dict)
    team: Mapping[str, TeamFields] = Field(default_factory=dict)
    disposition: Mapping[str, DispositionFields] = Field(default_factory=dict)
    skill: Mapping[str, SkillFields] = Field(default_factory=dict)
    role: Mapping[str, RoleFields] = Field(default_factory=dict)
    system_status: Mapping[str, SystemStatusFields] = Field(default_factory=dict)
    inbox: Mapping[str, InboxFields] = Field(default_factory=dict)
    business_hour: Mapping[str, BusinessHourFields] = Field(default_factory=dict)
    closure_set: Mapping[str, ClosureSetFields] = Field(default_factory=dict)
    asset: Mapping[str, AssetFields] = Field(default_factory=dict)
    asset_category: Mapping[str, AssetCategoryFields] = Field(default_factory=dict)


class EnrichedUser(Model):
    """A user under an id that the event names; `UserFields` has more."""

    user_id: str
    display_name: str


class EnrichedQueue(Model):
    """A queue under an id that the event names; `QueueFields` has more."""

    cc_queue_id: str
    queue_name: str


class MissingName(Model):
    """What could not be looked up. ``absent`` is final, the others a later revision may know."""

    entity: EntityName
    id: str
    reason: Open[Literal["absent", "deadline", "unavailable", "forbidden"]]


class Enrichment(Model):
    """What is known of the entities that an event names.

    ``partial``: something may be known later, and would come in a record of a higher revision.
    ``skipped``: nobody was asked, and nobody will be. Records from before version 2 of the schema
    have no ``entities``; ``users`` and ``queues`` go with the next version of the topic.

    ``outcome`` stands in revisions of the event that ended an engagement, which are numbered from
    100 on: corrections of names have lower numbers, and the highest number holds.
    """

    status: Open[Literal["complete", "partial", "skipped"]]
    revision: int
    enriched_at: Moment
    entities: EnrichedEntities = EnrichedEntities()
    missing: tuple[MissingName, ...]
    outcome: Maybe[EnrichedOutcome] = None
    users: Annotated[Mapping[str, EnrichedUser], Field(deprecated="read entities.user")] = Field(
        default_factory=dict
    )
    queues: Annotated[Mapping[str, EnrichedQueue], Field(deprecated="read entities.queue")] = Field(
        default_factory=dict
    )
