"""Pure: which entities each event announces as changed or deleted.

Events carry parts of an entity, under names of their own. So a changed entity is looked up, which
gives the state that lists give too; only a deletion is taken from the event.

Not here are events that change no kept member: work states and logins of users, their skills and
numbers, members and operating hours of queues, and what happens to engagements. Source: Zoom
Contact Center webhooks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.envelope import JsonObject


class Announced(NamedTuple):
    """One entity that an event names; ``is_new``: Zoom may not know it in lookups yet."""

    entity: str
    id: str
    is_gone: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where an event has the ids: in the first of ``members`` that it has, below ``each``."""

    entity: str
    members: tuple[str, ...]
    each: str = ""
    is_gone: bool = False
    is_new: bool = False


_queue_ids: Final = ("cc_queue_id", "queue_id")
"""The second one is deprecated, and finds the same queue."""


def _lifecycle(event: str, entity: str, member: str, *, deleted: bool = True) -> dict[str, _Rule]:
    rules = {
        f"{event}_created": _Rule(entity, (member,), is_new=True),
        f"{event}_updated": _Rule(entity, (member,)),
    }
    if deleted:
        rules[f"{event}_deleted"] = _Rule(entity, (member,), is_gone=True)
    return rules


_rules: Final[Mapping[str, _Rule]] = {
    f"contact_center.{event}": rule
    for event, rule in {
        **_lifecycle("user", "user", "user_id", deleted=False),
        "user_deleted": _Rule("user", ("user_id",), each="users", is_gone=True),
        "queue_created": _Rule("queue", _queue_ids, is_new=True),
        "queue_inbound_sla_updated": _Rule("queue", _queue_ids),
        "queue_deleted": _Rule("queue", _queue_ids, is_gone=True),
        **_lifecycle("business_hours", "business_hour", "business_hour_id"),
        **_lifecycle("closure", "closure_set", "closure_set_id"),
        **_lifecycle("team", "team", "team_id"),
        "team_moved": _Rule("team", ("team_id",)),
        "team_members_assigned": _Rule("user", ("user_ids",)),
        "team_members_unassigned": _Rule("user", ("user_ids",)),
        **_lifecycle("asset", "asset", "asset_id"),
    }.items()
}

announcing_events: Final = frozenset(_rules)
"""Full names of the events that announce something."""

changing_entities: Final = tuple(dict.fromkeys(rule.entity for rule in _rules.values()))
"""The entities that events announce."""


def announced(event: str, entity: JsonObject) -> tuple[Announced, ...]:
    """Return the entities that an event announces, each once; ``entity`` is its object."""
    rule = _rules.get(event)
    if rule is None:
        return ()
    # The first deletion of an asset archives it, and it can be restored.
    is_gone = rule.is_gone and not (rule.entity == "asset" and entity.get("archived") is True)
    holders = entity.get(rule.each) if rule.each else [entity]
    entities = (
        Announced(rule.entity, id_, is_gone, rule.is_new)
        for holder in (holders if isinstance(holders, list) else ())
        for id_ in _ids(holder, rule.members)
    )
    return tuple(dict.fromkeys(entities))


def _ids(holder: object, members: tuple[str, ...]) -> list[str]:
    if not isinstance(holder, dict):
        return []
    for member in members:
        value = holder.get(member)
        texts = [id_ for id_ in (value if isinstance(value, list) else [value]) if id_]
        if texts:
            return [text for text in texts if isinstance(text, str)]
    return []
