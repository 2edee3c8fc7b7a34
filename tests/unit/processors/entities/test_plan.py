"""The plan has every id of every event, or there is a reason why not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from processors.entities.paths import branch_of
from processors.entities.plan import EntityPlan, table
from processors.entities.references import (
    Entity,
    EntityReference,
    deprecated_ids,
    members_of_known_events,
)
from schemas.catalogue import events, example, json_schema
from tests.support.each_case import each_case
from tests.support.vendor_document import object_of
from zoom.entity_ids import longest_id

IS_ID = re.compile(r"(.*_)?(ids?|by)")
"""Names of members that hold an id."""

ITSELF = "names the event's own subject, which is no entity of the account's settings"
PART = "a part of an entity; the entity is named beside it"
PERSONAL = "consumer: personal, and no operation reads one by this id"
NO_OPERATION = "no operation of the API reads one"
OUTCOME = "engagement: belongs to its outcome"

NOT_PLANNED: Mapping[str, str] = {
    "account_id": "the account of the event, not an entity in it",
    "engagement_id": OUTCOME,
    "survey_id": OUTCOME,
    "survey_question_id": OUTCOME,
    "note_id": OUTCOME,
    "external_engagement_id": "an engagement of another system",
    "transfer_from_id": "a call of another product of the vendor's",
    "task_id": ITSELF,
    "transfer_to_task_id": "another task of the same engagement",
    "task_reservation_id": ITSELF,
    "request_id": "joins an event to a command of the caller's own",
    "message_id": ITSELF,
    "recording_id": ITSELF,
    "conference_id": ITSELF,
    "file_id": "what somebody sent; the event has its name and link",
    "channel_id": "an address of the engagement, mostly deprecated; " + NO_OPERATION,
    "consumer_id": PERSONAL,
    "attendee_id": PERSONAL,
    "campaign_id": "a carrier's registration of text messages, not an outbound campaign",
    "phone_number_id": NO_OPERATION,
    "division_id": NO_OPERATION,
    "waiting_room_id": NO_OPERATION,
    "intent_id": NO_OPERATION,
    "intent_group_id": NO_OPERATION,
    "connecting_media_id": "the contract does not say that it is an asset; the name is beside it",
    "transferring_media_id": "the contract does not say that it is an asset; the name is beside it",
    "holding_media_id": "the contract does not say that it is an asset; the name is beside it",
    "closure_id": PART,
    "asset_item_id": PART,
}
"""Member with an id that no plan has, and the reason."""

PRESENT_IDS = {deprecated: present for present, deprecated in deprecated_ids.items()}

Named = tuple[EntityReference, ...]
plan = EntityPlan(tuple(Entity))


def of(**ids: str) -> Named:
    return tuple(EntityReference(Entity(kind), id_) for kind, id_ in ids.items())


def read(event: str, entity: Mapping[str, object]) -> Named:
    return plan.references(f"contact_center.{event}", entity)


def test_the_table_has_every_event() -> None:
    assert set(table) == {kind.short_name for kind in events.values()}


@each_case("name", events)
def test_every_id_of_an_event_is_planned_or_has_its_reason(name: str) -> None:
    planned = set(table[events[name].short_name].split())
    ids = set(ids_of(object_of(json_schema(name)), ""))
    left = {path for path in ids - planned if path.rpartition(".")[2] not in NOT_PLANNED}
    assert {path for path in left if present(path) not in planned} == set(), "neither"
    assert planned - ids == set(), "planned, and not in the schema"
    assert {path for path in planned if last(path) in NOT_PLANNED} == set(), "both"


def test_every_reason_is_for_an_id_that_some_event_has() -> None:
    ids = {last(path) for name in events for path in ids_of(json_schema(name), "")}
    assert set(NOT_PLANNED) - ids == set()
    assert {
        name for name in ids if name in members_of_known_events and name in NOT_PLANNED
    } == set()


def test_every_member_that_names_a_kind_is_in_some_plan() -> None:
    used = {last(path) for paths in table.values() for path in paths.split()}
    assert used - {"owner_id"} == set(members_of_known_events) - set(PRESENT_IDS)


def test_a_path_to_a_member_that_names_no_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        branch_of(["engagement_id"], tuple(Entity))


@each_case("name", events)
def test_an_event_names_exactly_the_texts_at_its_paths(name: str) -> None:
    entity = orjson.loads(example(name))["payload"]["object"]
    paths = table[events[name].short_name].split()
    expected = {text for path in paths for text in texts_at(entity, re.split(r"\.|(?=\[\])", path))}
    assert {each.id for each in plan.references(name, entity)} == expected
    assert bool(expected) == bool(paths), "the example has every member"


@pytest.mark.parametrize(
    ("event", "entity", "named"),
    [
        ("engagement_started", {}, ()),
        (
            "engagement_user_answered",
            {"user_id": "u", "cc_queue_id": "q", "flow_id": "f", "teams": [{"team_id": "t"}]},
            of(user="u", queue="q", flow="f", team="t"),
        ),
        ("task_created", {"cc_queue_id": "new", "queue_id": "old"}, of(queue="new")),
        ("task_created", {"queue_id": "old"}, of(queue="old")),
        ("task_created", {"cc_queue_id": "", "queue_id": "old"}, of(queue="old")),
        ("task_created", {"cc_queue_id": 7, "queue_id": "old"}, of(queue="old")),
        ("engagement_transfer_queued", {"transfer_to_queue_id": "x"}, of(queue="x")),
        ("queue_created", {"overflow_to_queue_id": "o"}, of(queue="o")),
        ("recording_started", {"owner_type": "user", "owner_id": "u"}, of(user="u")),
        ("recording_started", {"owner_type": "queue", "owner_id": "q"}, of(queue="q")),
        ("recording_started", {"owner_type": "flow", "owner_id": "f"}, ()),
        ("recording_started", {"owner_type": ["user"], "owner_id": "u"}, ()),
        ("recording_started", {"owner_id": "u"}, ()),
        ("user_updated", {"updates": {"role_id": "r"}}, of(role="r")),
        ("user_updated", {"updates": {"status_id": "2"}}, of(system_status="2")),
        ("user_skills_assigned", {"skills": [{"skill_id": "s"}]}, of(skill="s")),
        ("asset_updated", {"updates": {"category_id": "c"}}, of(asset_category="c")),
    ],
)
def test_an_event_names_entities_by_path(
    event: str, entity: Mapping[str, object], named: Named
) -> None:
    assert read(event, entity) == named


def test_arrays_of_ids_and_of_objects_name_each_entity_once_in_order() -> None:
    users = [
        {"user_id": "b", "teams": [{"team_id": "t"}, {"team_id": "v"}]},
        {"user_id": "a", "teams": [{"team_id": "t"}]},
        {"user_id": "b"},
    ]
    assert [each.id for each in read("recording_started", {"users": users})] == ["b", "t", "v", "a"]
    assert [each.id for each in read("team_members_assigned", {"user_ids": ["b", "a", "b"]})] == [
        "b",
        "a",
    ]


def test_an_id_is_written_as_the_event_has_it() -> None:
    odd = ["Ann", "ann", "a/b+c==", "a:b", "9" * 19, "me", "\N{GRINNING FACE}", "nul\x00"]
    assert [each.id for each in read("team_members_assigned", {"user_ids": odd})] == odd


@pytest.mark.parametrize(
    "value", [None, 7, 1.5, True, "", "x" * (longest_id + 1), {}, [], [[]], [7]]
)
def test_what_cannot_be_an_id_names_nothing(value: object) -> None:
    entity = {
        **dict.fromkeys(("user_id", "cc_queue_id", "queue_id", "flow_id", "teams"), value),
        "owner_type": "user",
        "owner_id": value,
        "users": [value, {"user_id": value}],
    }
    assert read("recording_started", entity) == ()
    assert read("engagement_user_answered", entity) == ()
    assert read("novel", entity) == ()


def test_an_object_in_place_of_an_array_and_the_reverse_are_read() -> None:
    assert read("engagement_user_answered", {"teams": {"team_id": "t"}}) == of(team="t")
    assert read("user_updated", {"updates": [{"role_id": "r"}]}) == of(role="r")
    assert read("engagement_user_answered", {"user_id": ["u"]}) == of(user="u")


def test_kinds_that_are_left_out_are_not_named() -> None:
    only_queues = EntityPlan([Entity.QUEUE])
    entity = {
        "user_id": "u",
        "cc_queue_id": "q",
        "owner_type": "user",
        "owner_id": "u",
        "users": [{"user_id": "v"}],
    }
    assert only_queues.references("contact_center.recording_started", entity) == of(queue="q")
    assert only_queues.references("contact_center.novel", entity) == of(queue="q")
    owned = {"owner_type": "queue", "owner_id": "q"}
    assert only_queues.references("contact_center.recording_started", owned) == of(queue="q")
    assert EntityPlan([]).references("contact_center.recording_started", owned) == ()


def ids_of(schema: Any, path: str) -> Iterator[str]:
    """The paths of members with ids, as the table writes them."""
    for name, member in schema.get("properties", {}).items():
        own = f"{path}.{name}".removeprefix(".")
        own += "[]" * ("items" in member)
        inner = member.get("items", member)
        if inner.get("type") == "object":
            yield from ids_of(inner, own)
        elif IS_ID.fullmatch(name):
            yield own


def last(path: str) -> str:
    return path.rpartition(".")[2].removesuffix("[]")


def present(path: str) -> str:
    """The path beside a deprecated one."""
    head, dot, name = path.rpartition(".")
    return f"{head}{dot}{PRESENT_IDS.get(name, name)}"


def texts_at(node: Any, steps: list[str]) -> Iterator[str]:
    if not steps:
        yield node
    elif steps[0] == "[]":
        for item in node:
            yield from texts_at(item, steps[1:])
    elif steps[0] in node and (steps != ["owner_id"] or node["owner_type"] in {"user", "queue"}):
        yield from texts_at(node[steps[0]], steps[1:])
