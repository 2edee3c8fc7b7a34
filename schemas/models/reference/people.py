"""Models of reference entities: users, teams, roles, work states, skills, regions."""

from typing import Literal

from schemas.models.base import Maybe, Model, Open

from .record import MemberTeam, Reference


class UserState(Model):
    """What the REST API says of a user. ``user_id`` is the one that events have."""

    user_id: str
    cc_user_id: Maybe[str] = None
    display_name: Maybe[str] = None
    user_email: Maybe[str] = None
    role_id: Maybe[str] = None
    role_name: Maybe[str] = None
    client_integration: Maybe[
        Open[Literal["Default", "Salesforce", "Zendesk", "ServiceNow", "Microsoft_Dynamics_365"]]
    ] = None
    user_access: Maybe[Open[Literal["active", "inactive"]]] = None
    country_iso_code: Maybe[str] = None
    region_id: Maybe[str] = None
    region_name: Maybe[str] = None
    package_name: Maybe[str] = None
    teams: Maybe[tuple[MemberTeam, ...]] = None


class UserReference(Reference[UserState]):
    """A user; ``id`` is the ``user_id``."""

    entity: Literal["user"]


class TeamState(Model):
    """What the REST API says of a team."""

    team_id: str
    team_name: Maybe[str] = None
    team_description: Maybe[str] = None
    parent_team_id: Maybe[str] = None
    parent_team_name: Maybe[str] = None


class TeamReference(Reference[TeamState]):
    """A team; ``id`` is the ``team_id``."""

    entity: Literal["team"]


class RoleState(Model):
    """What the REST API says of a role."""

    role_id: str
    role_name: Maybe[str] = None
    role_description: Maybe[str] = None


class RoleReference(Reference[RoleState]):
    """A role; ``id`` is the ``role_id``."""

    entity: Literal["role"]


class SystemStatusState(Model):
    """What the REST API says of a system status."""

    status_id: str
    status_name: Maybe[Open[Literal["Offline", "Ready", "Not Ready", "Occupied"]]] = None
    status_type: Maybe[Open[Literal["default", "custom"]]] = None
    status_category: Maybe[Open[Literal["agent_status", "queue_opt_out_and_not_ready_status"]]] = (
        None
    )
    enable: Maybe[bool] = None


class SystemStatusReference(Reference[SystemStatusState]):
    """A system status; ``id`` is the ``status_id``."""

    entity: Literal["system_status"]


class SkillState(Model):
    """What the REST API says of a skill."""

    skill_id: str
    skill_name: Maybe[str] = None
    skill_type: Maybe[Open[Literal["text", "proficiency"]]] = None
    max_proficiency_level: Maybe[int] = None
    skill_category_id: Maybe[str] = None
    skill_category_name: Maybe[str] = None


class SkillReference(Reference[SkillState]):
    """A skill; ``id`` is the ``skill_id``."""

    entity: Literal["skill"]


class SkillCategoryState(Model):
    """What the REST API says of a skill category."""

    skill_category_id: str
    skill_category_name: Maybe[str] = None
    skill_category_description: Maybe[str] = None
    skill_type: Maybe[Open[Literal["text", "proficiency"]]] = None
    max_proficiency_level: Maybe[int] = None


class SkillCategoryReference(Reference[SkillCategoryState]):
    """A skill category; ``id`` is the ``skill_category_id``."""

    entity: Literal["skill_category"]


class RegionState(Model):
    """What the REST API says of a region."""

    region_id: str
    region_name: Maybe[str] = None
    is_main_region: Maybe[bool] = None
    sip_zone_id: Maybe[str] = None
    sip_zone_name: Maybe[str] = None


class RegionReference(Reference[RegionState]):
    """A region; ``id`` is the ``region_id``."""

    entity: Literal["region"]
