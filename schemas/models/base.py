"""What all models are made of: how a member is marked, how open it is, and what a time is.

A member that is not there, or that holds something else than the contract says, is None: the
vendor leaves out what it promises, and no consumer should stop for that. `Promised` says that the
contract has it always; `schemas.models.read` reports where it was missing nevertheless.
"""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ValueT = TypeVar("ValueT")

Promised: TypeAlias = ValueT | None
"""Required by the contract; None where it is missing nevertheless."""

Maybe: TypeAlias = ValueT | None
"""Optional by the contract."""

Deprecated: TypeAlias = Annotated[ValueT | None, Field(deprecated="on its way out")]
"""Optional, and on its way out: to read it warns."""

Open: TypeAlias = ValueT | str
"""Known texts, and any other: the vendor adds values without notice."""

OpenNumber: TypeAlias = ValueT | int
"""Known numbers, and any other."""


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment: TypeAlias = Annotated[datetime, AfterValidator(_aware)]
"""A time that knows its zone; UTC where the text names none, as `schemas.identity` reads it."""


class Model(BaseModel):
    """An object of the contract: frozen, unknown members kept, types as JSON has them.

    Read it from JSON text (``model_validate_json``): times are text there.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, protected_namespaces=())
