"""Whom an event names."""

import orjson
import pytest

from processors.enrichment.references import Entity, EntityReference, members, references
from schemas.catalogue import events, json_schema


def user(id_: str) -> EntityReference:
    return EntityReference(Entity.USER, id_)


def queue(id_: str) -> EntityReference:
    return EntityReference(Entity.QUEUE, id_)


@pytest.mark.parametrize(
    ("entity", "named"),
    [
        ({}, ()),
        ({"engagement_id": "e"}, ()),
        ({"user_id": "u"}, (user("u"),)),
        ({"user_id": "u", "transfer_to_user_id": "v", "modified_by": "u"}, (user("u"), user("v"))),
        ({"user_ids": ["u", "v"]}, (user("u"), user("v"))),
        ({"users": [{"user_id": "u"}, {"user_id": "v"}]}, (user("u"), user("v"))),
        ({"a": {"b": [[{"assigned_user_id": "u"}]]}}, (user("u"),)),
        ({"cc_queue_id": "new", "queue_id": "old"}, (queue("new"),)),
        ({"queue_id": "old"}, (queue("old"),)),
        ({"cc_queue_id": "", "queue_id": "old"}, (queue("old"),)),
        (
            {"transfer_to_cc_queue_id": "t", "transfer_to_queue_id": "x", "queue_id": "q"},
            (queue("t"), queue("q")),
        ),
        ({"overflow_to_queue_id": "o", "a": {"cc_queue_id": "c"}}, (queue("o"), queue("c"))),
        ({"owner_type": "user", "owner_id": "u"}, (user("u"),)),
        ({"owner_type": "queue", "owner_id": "q"}, (queue("q"),)),
        ({"owner_type": "flow", "owner_id": "f"}, ()),
        ({"owner_type": ["user"], "owner_id": "u"}, ()),
        ({"owner_id": "u"}, ()),
        ({"user_id": None}, ()),
        ({"user_id": 7, "user_ids": [None, {}, ["u"]]}, ()),
        ({"user_id": "nul\x00"}, (user("nul\x00"),)),
    ],
)
def test_an_event_names_users_and_queues_by_member(
    entity: dict[str, object], named: tuple[EntityReference, ...]
) -> None:
    assert references(entity) == named


def test_every_id_of_a_user_or_a_queue_in_a_known_event_is_covered() -> None:
    names = set[str]()
    for event in events:
        names |= {
            name
            for name in _member_names(orjson.loads(orjson.dumps(dict(json_schema(event)))))
            if name.endswith(("user_id", "user_ids", "queue_id")) or name == "modified_by"
        }
    assert names | {"queue_id"} == set(members)


def _member_names(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*(_member_names(item) for item in schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties", {})
    return set(properties).union(*(_member_names(value) for value in schema.values()))
