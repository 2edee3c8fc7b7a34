"""Records of the reference topic: the present state of a user, a queue or a team.

The key is ``account_id:entity:id``. A record without a value says that the entity is gone.
"""

from typing import Generic, Literal, TypeVar

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
