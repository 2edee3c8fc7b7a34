"""Which fields of an entity go into events."""

from typing import Any

import orjson
import pytest

from processors.entities.fields import (
    EventFields,
    FieldsError,
    Fragment,
    event_fields,
    fields_of,
    named_kinds,
)
from processors.entities.kinds import kinds
from processors.entities.references import Entity, members_of_known_events

user: dict[str, object] = {
    "user_id": "Ann-ID",
    "display_name": "Ann",
    "user_email": "ann@example.com",
    "role_name": "Agent",
    "region_name": None,
    "novel": 1,
}


def default(**choice: Any) -> EventFields:
    return event_fields(named_kinds, **{"fields": (), "allowed": (), **choice})


def fields(which: EventFields, entity: Entity, state: dict[str, object]) -> dict[str, object]:
    read: dict[str, object] = orjson.loads(which.fragment(entity, state).fields)
    return read


def test_every_kind_that_an_event_can_name_has_fields_and_its_own_id_is_the_first() -> None:
    assert set(named_kinds) == set(members_of_known_events.values())
    for kind in named_kinds:
        names = default().names[kind]
        assert names[0] in members_of_known_events
        assert members_of_known_events[names[0]] is kind


def test_only_the_display_name_of_users_is_personal_by_default() -> None:
    personal = {
        f"{kind}.{name}": fields_of(kind)[name]
        for kind, names in default().names.items()
        for name in names
        if fields_of(kind)[name] not in {"none", "pseudonymous"}
    }
    assert personal == {"user.display_name": "personal"}


def test_null_missing_and_unknown_members_of_a_state_are_left_out() -> None:
    assert fields(default(), Entity.USER, user) == {
        "user_id": "Ann-ID",
        "display_name": "Ann",
        "role_name": "Agent",
    }


def test_an_allowed_class_lets_its_default_fields_in() -> None:
    with_personal = default(allowed=["personal"])
    assert fields(with_personal, Entity.USER, user)["user_email"] == "ann@example.com"


def test_a_kind_gets_exactly_the_fields_that_are_chosen_for_it_and_others_their_defaults() -> None:
    chosen = default(fields=["user.role_name", "user.user_id"])
    assert fields(chosen, Entity.USER, user) == {"role_name": "Agent", "user_id": "Ann-ID"}
    assert chosen.names[Entity.QUEUE] == default().names[Entity.QUEUE]


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ({"fields": ["user.novel"]}, "user.novel is no field"),
        ({"fields": ["novel.user_id"]}, "novel.user_id is no field"),
        ({"fields": ["user_id"]}, "user_id is no field"),
        ({"fields": ["region.region_name"]}, "region.region_name is no field"),
        ({"fields": ["user.user_email"]}, "user.user_email is personal, which is not allowed"),
    ],
)
def test_a_field_that_cannot_go_in_is_refused(choice: dict[str, Any], problem: str) -> None:
    with pytest.raises(FieldsError, match=problem):
        default(**choice)


def test_fields_of_a_kind_that_is_left_out_are_refused() -> None:
    with pytest.raises(FieldsError, match="user has fields, and is left out"):
        event_fields([Entity.QUEUE], fields=["user.user_id"], allowed=())


def test_a_kind_that_no_event_names_is_refused() -> None:
    with pytest.raises(FieldsError, match="no event names region by its id"):
        event_fields([Entity.REGION], fields=(), allowed=())


def test_every_field_is_in_the_states_of_its_kind() -> None:
    assert set(Entity) == set(kinds)
    for kind in named_kinds:
        assert set(fields_of(kind)) <= set(kinds[kind].kept), kind


def test_kinds_that_are_left_out_are_not_projected() -> None:
    assert set(event_fields([Entity.QUEUE], fields=(), allowed=()).entities) == {Entity.QUEUE}


@pytest.mark.parametrize(
    ("entity", "state", "deprecated"),
    [
        (Entity.USER, user, b'{"user_id":"Ann-ID","display_name":"Ann"}'),
        (Entity.USER, {"user_id": "a"}, b'{"user_id":"a","display_name":""}'),
        (Entity.USER, {"user_id": 7, "display_name": []}, b'{"user_id":"","display_name":""}'),
        (
            Entity.QUEUE,
            {"queue_id": "old", "cc_queue_id": "new", "queue_name": "Help"},
            b'{"cc_queue_id":"new","queue_name":"Help"}',
        ),
        (Entity.QUEUE, {"queue_id": "old"}, b'{"cc_queue_id":"","queue_name":""}'),
        (Entity.FLOW, {"flow_id": "f"}, b""),
    ],
)
def test_users_and_queues_have_the_two_texts_of_before_too(
    entity: Entity, state: dict[str, object], deprecated: bytes
) -> None:
    assert default().fragment(entity, state).deprecated == deprecated


def test_a_name_that_the_operator_leaves_out_is_left_out_in_both_places() -> None:
    without_name = default(fields=["user.user_id"])
    assert without_name.fragment(Entity.USER, user) == Fragment(
        b'{"user_id":"Ann-ID"}', b'{"user_id":"Ann-ID","display_name":""}'
    )
