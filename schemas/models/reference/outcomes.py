"""Models of reference entities: dispositions and their sets."""

from typing import Literal

from schemas.models.base import Maybe, Model, Open

from .record import Reference


class SubDisposition(Model):
    """A disposition below another one."""

    sub_disposition_id: Maybe[str] = None
    sub_disposition_name: Maybe[str] = None
    current_index: Maybe[int] = None
    parent_index: Maybe[int] = None


class DispositionState(Model):
    """What the REST API says of a disposition."""

    disposition_id: str
    disposition_name: Maybe[str] = None
    disposition_description: Maybe[str] = None
    disposition_type: Maybe[Open[Literal["single", "multi_level"]]] = None
    status: Maybe[Open[Literal["inactive", "active"]]] = None
    sub_dispositions: Maybe[tuple[SubDisposition, ...]] = None


class DispositionReference(Reference[DispositionState]):
    """A disposition; ``id`` is the ``disposition_id``."""

    entity: Literal["disposition"]


class SetMember(Model):
    """A disposition of a set."""

    disposition_id: Maybe[str] = None
    disposition_name: Maybe[str] = None


class DispositionSetState(Model):
    """What the REST API says of a disposition set."""

    disposition_set_id: str
    disposition_set_name: Maybe[str] = None
    disposition_set_description: Maybe[str] = None
    status: Maybe[Open[Literal["inactive", "active"]]] = None
    dispositions: Maybe[tuple[SetMember, ...]] = None


class DispositionSetReference(Reference[DispositionSetState]):
    """A disposition set; ``id`` is the ``disposition_set_id``."""

    entity: Literal["disposition_set"]
