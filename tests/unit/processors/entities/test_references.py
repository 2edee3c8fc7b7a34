"""What an event of an unknown name names."""

import pytest

from processors.entities.references import Entity, EntityReference, references_anywhere


def user(id_: str) -> EntityReference:
    return EntityReference(Entity.USER, id_)


def queue(id_: str) -> EntityReference:
    return EntityReference(Entity.QUEUE, id_)


@pytest.mark.parametrize(
    ("entity", "named"),
    [
        ({}, ()),
        ({"engagement_id": "e"}, ()),
        ({"user_id": "u", "transfer_to_user_id": "v", "modified_by": "u"}, (user("u"), user("v"))),
        ({"user_ids": ["u", "v"]}, (user("u"), user("v"))),
        ({"a": {"b": [[{"assigned_user_id": "u"}]]}}, (user("u"),)),
        ({"cc_queue_id": "new", "queue_id": "old"}, (queue("new"),)),
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
        ({"user_id": 7, "user_ids": [None, {}, ["u"]]}, ()),
        ({"status_id": "2", "category_id": "c"}, ()),
    ],
)
def test_an_event_of_an_unknown_name_is_searched_by_member(
    entity: dict[str, object], named: tuple[EntityReference, ...]
) -> None:
    assert references_anywhere(entity, tuple(Entity)) == named


def test_kinds_that_are_left_out_are_not_searched_for() -> None:
    entity = {"user_id": "u", "cc_queue_id": "q"}
    assert references_anywhere(entity, {Entity.QUEUE}) == (queue("q"),)
