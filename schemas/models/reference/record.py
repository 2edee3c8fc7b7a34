"""What all records of the reference topic have in common."""

from typing import Generic, TypeVar

from schemas.models.base import Maybe, Model, Moment

StateT_co = TypeVar("StateT_co", bound=Model, covariant=True)


class Reference(Model, Generic[StateT_co]):
    """One entity as it was at ``as_of``: when it was looked up, or when an event changed it."""

    entity: str
    account_id: str
    id: str
    as_of: Moment
    state: StateT_co


class MemberTeam(Model):
    """A team to which a user or a queue belongs."""

    team_id: str
    team_name: Maybe[str] = None
