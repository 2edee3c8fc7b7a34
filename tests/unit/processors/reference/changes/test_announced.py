"""Each event that changes an entity says of which one, and how."""

from importlib.resources import files
from typing import Any

import orjson
import pytest

from processors.entities.kinds import kinds
from processors.reference.changes.announced import (
    Announced,
    announced,
    announcing_events,
    changing_entities,
)
from processors.reference.changes.component import component
from schemas.catalogue import events
from schemas.topics import raw_topic

_unkept = {
    "user_status_changed",
    "user_login",
    "user_logout",
    "user_skills_assigned",
    "user_skills_unassigned",
    "user_phone_numbers_assigned",
    "user_phone_numbers_unassigned",
    "user_opt_in",
    "user_opt_out",
    "queue_agent_assigned",
    "queue_agent_unassigned",
    "queue_supervisor_assigned",
    "queue_supervisor_unassigned",
    "queue_operating_hours_updated",
    "queue_scheduled_callback_created",
}
"""Events of entities that change no kept member."""


def _example(event: str) -> dict[str, Any]:
    family, short = events[event].family, event.removeprefix("contact_center.")
    document = orjson.loads((files("schemas") / "examples" / family / f"{short}.json").read_bytes())
    entity: dict[str, Any] = document["payload"]["object"]
    return entity


def test_every_event_of_the_families_that_are_read_is_used_or_changes_no_kept_member() -> None:
    topics = component.reads(prefix="zcc")
    read = {name for name, e in events.items() if raw_topic(e.family, prefix="zcc") in topics}

    assert read == announcing_events | {f"contact_center.{event}" for event in _unkept}


@pytest.mark.parametrize("event", sorted(announcing_events))
def test_the_example_of_an_event_announces_something(event: str) -> None:
    entities = announced(event, _example(event))

    assert entities
    assert all(each.entity in changing_entities and each.id for each in entities)
    assert all(kinds[each.entity].get_operation for each in entities)


def test_a_deletion_of_several_users_is_one_of_each() -> None:
    entity = {"users": [{"user_id": "a"}, {"user_id": "b"}, {"user_id": "a"}, {}, 7]}

    entities = announced("contact_center.user_deleted", entity)

    assert entities == (Announced("user", "a", is_gone=True), Announced("user", "b", is_gone=True))


def test_members_of_a_team_are_users_that_changed() -> None:
    entities = announced("contact_center.team_members_assigned", {"user_ids": ["a", "b", None]})

    assert entities == (Announced("user", "a"), Announced("user", "b"))


def test_an_asset_that_is_archived_is_not_gone() -> None:
    asset = {"asset_id": "a", "archived": True}

    assert announced("contact_center.asset_deleted", asset) == (Announced("asset", "a"),)


def test_an_asset_that_is_deleted_for_good_is_gone() -> None:
    asset = {"asset_id": "a", "archived": False}

    assert announced("contact_center.asset_deleted", asset) == (
        Announced("asset", "a", is_gone=True),
    )


def test_a_restored_asset_has_changed() -> None:
    asset = {"asset_id": "a", "updates": {"restore": True}}

    assert announced("contact_center.asset_updated", asset) == (Announced("asset", "a"),)


def test_a_queue_goes_by_its_present_id_or_else_by_the_deprecated_one() -> None:
    both = {"cc_queue_id": "new", "queue_id": "old"}

    assert announced("contact_center.queue_deleted", both)[0].id == "new"
    assert announced("contact_center.queue_deleted", {"queue_id": "old"})[0].id == "old"


@pytest.mark.parametrize("entity", [{}, {"user_id": 7}, {"user_id": ""}, {"users": "x"}])
@pytest.mark.parametrize(
    "event", ["contact_center.user_updated", "contact_center.user_deleted", "unknown"]
)
def test_an_event_without_ids_announces_nothing(event: str, entity: dict[str, Any]) -> None:
    assert announced(event, entity) == ()
