"""Pure: which fields of an entity go into events, how personal they are, and the JSON of them.

The vendor's ids are in the events already; what else says something about a person stays out unless
the operator allows its class. The display name of users is the exception: consumers read it since
the first version. A field is one that a state in the reference topic has (`processors.entities`);
its class follows from its name, as in the schemas of events.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from processors.entities.references import Entity
from schemas.envelope import JsonObject
from schemas.generation.data_class import DataClass, data_class

_by_default: Final[Mapping[Entity, str]] = {
    Entity.USER: "user_id display_name user_email role_name region_name country_iso_code",
    Entity.QUEUE: "cc_queue_id queue_name channel",
    Entity.FLOW: "flow_id flow_name channel status",
    Entity.TEAM: "team_id team_name parent_team_id parent_team_name",
    Entity.DISPOSITION: "disposition_id disposition_name disposition_type",
    Entity.SKILL: "skill_id skill_name skill_type skill_category_name",
    Entity.ROLE: "role_id role_name",
    Entity.SYSTEM_STATUS: "status_id status_name status_category",
    Entity.INBOX: "inbox_id inbox_name inbox_type",
    Entity.BUSINESS_HOUR: "business_hour_id business_hour_name timezone",
    Entity.CLOSURE_SET: "closure_set_id closure_set_name timezone",
    Entity.ASSET: "asset_id asset_name asset_type category_name",
    Entity.ASSET_CATEGORY: "category_id category_name",
}
"""Each kind that events name: the fields that go in unless the operator chooses others, so far as
their class is allowed."""

_on_request: Final[Mapping[Entity, str]] = {
    Entity.USER: "cc_user_id role_id client_integration user_access region_id package_name teams",
    Entity.QUEUE: (
        "queue_id queue_description max_wait_time wrap_up_time max_engagement_in_queue"
        " service_level_threshold_in_seconds service_level_target_in_percentage"
        " agent_routing_profile_name consumer_routing_profile_name teams"
    ),
    Entity.FLOW: "flow_description channel_source",
    Entity.TEAM: "team_description",
    Entity.DISPOSITION: "disposition_description status sub_dispositions",
    Entity.SKILL: "skill_category_id max_proficiency_level",
    Entity.ROLE: "role_description",
    Entity.SYSTEM_STATUS: "status_type enable",
    Entity.INBOX: "",
    Entity.BUSINESS_HOUR: "account_default hours",
    Entity.CLOSURE_SET: "account_default closures",
    Entity.ASSET: "category_id asset_description asset_language_code archived archived_time",
    Entity.ASSET_CATEGORY: "category_scope",
}

_not_about_a_person: Final = frozenset[DataClass]({"none", "pseudonymous"})
_always_allowed: Final = frozenset({(Entity.USER, "display_name")})


class FieldsError(ValueError):
    """A field cannot go into events; the message says which, and why."""


class Fragment(NamedTuple):
    """The JSON of one entity: what ``entities`` has, and what ``users`` or ``queues`` has.

    ``deprecated`` is empty for other kinds.
    """

    fields: bytes
    deprecated: bytes


def fields_of(entity: Entity) -> Mapping[str, DataClass]:
    """Return the fields of a kind that may go into events, with their classes."""
    names = (*_by_default[entity].split(), *_on_request[entity].split())
    return {name: data_class(name) for name in names}


named_kinds: Final = tuple(_by_default)
"""The kinds that events name."""


@dataclass(frozen=True, slots=True)
class EventFields:
    """The fields that go into events; ``names`` has the kinds whose entities do."""

    names: Mapping[Entity, tuple[str, ...]]

    @property
    def entities(self) -> Collection[Entity]:
        """The kinds whose entities go into events."""
        return self.names.keys()

    def fragment(self, entity: Entity, state: JsonObject) -> Fragment:
        """Return the JSON of one entity's state; a field that is missing or null is left out."""
        names = self.names[entity]
        known = {name: value for name in names if (value := state.get(name)) is not None}
        match entity:
            case Entity.USER:
                former = _texts(known, {"user_id": state.get("user_id")}, "display_name")
            case Entity.QUEUE:
                former = _texts(known, {"cc_queue_id": state.get("cc_queue_id")}, "queue_name")
            case _:
                former = b""
        return Fragment(orjson.dumps(known), former)


def event_fields(
    kinds: Iterable[Entity], *, fields: Iterable[str], allowed: Collection[DataClass]
) -> EventFields:
    """Return the fields that an operator chose.

    Args:
        kinds: whose entities go into events, of `named_kinds`.
        fields: each as ``user.role_id``; a kind that they name gets exactly these, another one its
            default fields.
        allowed: the classes of personal data that may go into events.

    Raises:
        FieldsError: no event names entities of a kind; or a field is unknown, of a kind that is
            left out, or of a class that is not allowed.
    """
    classes = _not_about_a_person | frozenset(allowed)
    chosen: dict[Entity, list[str]] = {}
    for each in fields:
        prefix, _, name = each.partition(".")
        if prefix not in _by_default or name not in fields_of(Entity(prefix)):
            raise FieldsError(f"{each} is no field of an entity that events name")
        chosen.setdefault(Entity(prefix), []).append(name)
    names = {}
    for kind in kinds:
        if kind not in _by_default:
            raise FieldsError(f"no event names {kind} by its id")
        mine = chosen.pop(kind, None)
        wanted = _by_default[kind].split() if mine is None else mine
        names[kind] = tuple(name for name in wanted if _is_allowed(kind, name, classes))
        if mine is not None and len(names[kind]) < len(mine):
            refused = next(name for name in mine if name not in names[kind])
            raise FieldsError(f"{kind}.{refused} is {data_class(refused)}, which is not allowed")
    if chosen:
        raise FieldsError(f"{next(iter(chosen))} has fields, and is left out")
    return EventFields(names)


def _is_allowed(kind: Entity, name: str, classes: Collection[DataClass]) -> bool:
    return (kind, name) in _always_allowed or data_class(name) in classes


def _texts(known: JsonObject, ids: JsonObject, name: str) -> bytes:
    """Return the JSON of what was there before there were fields: two texts, neither missing."""
    values = {**ids, name: known.get(name)}
    return orjson.dumps(
        {key: value if isinstance(value, str) else "" for key, value in values.items()}
    )
