"""Pure: the kinds of entities, what it means to name one, and members that name one anywhere.

The members serve both the plan of known events and the walk over an event that the contract lacks.
A queue has two ids of different value; the deprecated one counts only where the present one is
missing in the same object. Source: Zoom Contact Center webhooks, OpenAPI 3.1.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.envelope import JsonObject
from zoom.entity_ids import longest_id


class Entity(StrEnum):
    """The kind of an entity; a closed set for labels, for keys, and for the contract."""

    USER = "user"
    QUEUE = "queue"
    FLOW = "flow"
    TEAM = "team"
    DISPOSITION = "disposition"
    DISPOSITION_SET = "disposition_set"
    SKILL = "skill"
    SKILL_CATEGORY = "skill_category"
    ROLE = "role"
    SYSTEM_STATUS = "system_status"
    INBOX = "inbox"
    BUSINESS_HOUR = "business_hour"
    CLOSURE_SET = "closure_set"
    ASSET = "asset"
    ASSET_CATEGORY = "asset_category"
    REGION = "region"
    ADDRESS_BOOK = "address_book"
    ADDRESS_BOOK_CONTACT = "address_book_contact"
    OUTBOUND_CAMPAIGN = "outbound_campaign"
    VARIABLE_GROUP = "variable_group"
    AGENT_ROUTING_PROFILE = "agent_routing_profile"
    CONSUMER_ROUTING_PROFILE = "consumer_routing_profile"
    FLOW_ENTRY_POINT = "flow_entry_point"
    QUEUE_TEMPLATE = "queue_template"
    STORAGE_LOCATION = "storage_location"


class EntityReference(NamedTuple):
    """One entity that an event names; ``id`` is written as the event has it."""

    entity: Entity
    id: str


members: Final[Mapping[str, Entity]] = {
    "user_id": Entity.USER,
    "user_ids": Entity.USER,
    "assigned_user_id": Entity.USER,
    "monitoring_user_id": Entity.USER,
    "takeover_user_id": Entity.USER,
    "transfer_to_user_id": Entity.USER,
    "previous_user_id": Entity.USER,
    "participant_user_id": Entity.USER,
    "modified_by": Entity.USER,
    "cc_queue_id": Entity.QUEUE,
    "queue_id": Entity.QUEUE,
    "transfer_to_cc_queue_id": Entity.QUEUE,
    "transfer_to_queue_id": Entity.QUEUE,
    "overflow_to_cc_queue_id": Entity.QUEUE,
    "overflow_to_queue_id": Entity.QUEUE,
    "participant_queue_id": Entity.QUEUE,
    "flow_id": Entity.FLOW,
    "transfer_to_flow_id": Entity.FLOW,
    "overflow_to_flow_id": Entity.FLOW,
    "team_id": Entity.TEAM,
    "parent_team_id": Entity.TEAM,
    "previous_parent_team_id": Entity.TEAM,
    "new_parent_team_id": Entity.TEAM,
    "inbox_id": Entity.INBOX,
    "transfer_to_inbox_id": Entity.INBOX,
    "overflow_to_inbox_id": Entity.INBOX,
    "disposition_id": Entity.DISPOSITION,
    "skill_id": Entity.SKILL,
    "role_id": Entity.ROLE,
    "business_hour_id": Entity.BUSINESS_HOUR,
    "closure_set_id": Entity.CLOSURE_SET,
    "asset_id": Entity.ASSET,
}
"""Member to the kind of entity that its text, or the texts in its array, name in any event."""

members_of_known_events: Final[Mapping[str, Entity]] = {
    **members,
    "status_id": Entity.SYSTEM_STATUS,
    "current_status_id": Entity.SYSTEM_STATUS,
    "previous_status_id": Entity.SYSTEM_STATUS,
    "sub_status_id": Entity.SYSTEM_STATUS,
    "current_sub_status_id": Entity.SYSTEM_STATUS,
    "previous_sub_status_id": Entity.SYSTEM_STATUS,
    "category_id": Entity.ASSET_CATEGORY,
}
"""`members`, and those whose name alone does not say enough: the ids of statuses are small numbers,
so that a status of something else would get the name of a user's."""

deprecated_ids: Final[Mapping[str, str]] = {
    "cc_queue_id": "queue_id",
    "transfer_to_cc_queue_id": "transfer_to_queue_id",
    "overflow_to_cc_queue_id": "overflow_to_queue_id",
}
"""Member to the deprecated one for the same queue."""

owners: Final[Mapping[str, Entity]] = {"user": Entity.USER, "queue": Entity.QUEUE}
"""``owner_type`` of a recording to what its ``owner_id`` names."""

_present_ids: Final = {deprecated: present for present, deprecated in deprecated_ids.items()}


def references_anywhere(
    entity: JsonObject, kinds: Collection[Entity]
) -> tuple[EntityReference, ...]:
    """Return what an event of an unknown name names, each once, by member at any depth."""
    return tuple(dict.fromkeys(each for each in _named(entity) if each.entity in kinds))


def ids(value: object) -> Iterator[str]:
    """Yield the ids in a value, a text or an array; a text of another length cannot be one."""
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, str) and 0 < len(item) <= longest_id:
            yield item


def _named(node: object) -> Iterator[EntityReference]:
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, dict):
        yield from _owner(node)
        for name, value in node.items():
            kind = members.get(name)
            if kind is None:
                yield from _named(value)
            elif not _is_text(node.get(_present_ids.get(name, ""))):
                yield from (EntityReference(kind, id_) for id_ in ids(value))


def _owner(node: JsonObject) -> Iterator[EntityReference]:
    kind = node.get("owner_type")
    if isinstance(kind, str) and kind in owners:
        yield from (EntityReference(owners[kind], id_) for id_ in ids(node.get("owner_id")))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
