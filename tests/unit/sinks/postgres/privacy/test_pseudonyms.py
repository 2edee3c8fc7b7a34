"""Personal data is kept, replaced or left out before rows are made of it."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, get_args

import orjson
import pytest

from schemas import catalogue
from sinks.postgres.model.references import ParsedReference
from sinks.postgres.model.rows import raw_table, read_deliveries, rows_by_table
from sinks.postgres.model.tables import Personal, Table
from sinks.postgres.privacy.classes import class_of, normal
from sinks.postgres.privacy.pseudonyms import PersonalData, Redaction, marker, pseudonym
from tests.support.each_case import each_case
from tests.support.enriched_records import delivery, webhook
from tests.support.outcome_records import outcome_snapshot
from tests.support.participants import Participants
from tests.support.projections import snapshot

KEY = b"a key of sixteen characters"
CLASSES: tuple[Personal, ...] = tuple(c for c in get_args(Personal) if c != "document")
ANN = Participants("ann", "+15550107001")
HEADS = {"subject", "partition_key"}

Message = Any


def rules(redaction: Redaction, *classes: Personal) -> PersonalData:
    return PersonalData(dict.fromkeys(classes or CLASSES, redaction), KEY)


def messages_of(*deliveries: Any) -> list[Message]:
    read, rejections = read_deliveries(deliveries)
    assert rejections == []
    return read


def cells(some: list[Message]) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    for table, rows in rows_by_table(some).items():
        names = [column.name for column in table.columns]
        for row in rows:
            yield table, dict(zip(names, row, strict=True))


def test_what_is_kept_is_not_touched() -> None:
    some = messages_of(*ANN.deliveries())
    for kept in (PersonalData({}, b""), rules("keep")):
        assert all(a is b for a, b in zip(kept.redacted(some), some, strict=True))


@each_case("event", catalogue.events)
def test_every_personal_column_holds_pseudonyms_and_no_other_one_changes(event: str) -> None:
    some = messages_of(delivery(orjson.dumps(orjson.loads(catalogue.example(event)))))
    plain = list(cells(some))
    redacted = list(cells(rules("pseudonymise").redacted(some)))
    personal = {
        (table.name, column.name): column.personal for table, _ in plain for column in table.columns
    }
    others = [
        sorted(
            (table.name, name, repr(cell))
            for table, row in rows
            for name, cell in row.items()
            if not personal[table.name, name] and name not in HEADS
        )
        for rows in (plain, redacted)
    ]
    assert others[0] == others[1]
    for table, row in redacted:
        for name, cell in row.items():
            if personal[table.name, name] not in {None, "document"} and cell:
                texts = cell if isinstance(cell, tuple) else (cell,)
                assert all(text.startswith(marker) for text in texts), (table.name, name)


@pytest.mark.parametrize("redaction", ["pseudonymise", "drop"])
def test_no_value_of_a_person_is_left_in_any_row(redaction: Redaction) -> None:
    some = rules(redaction).redacted(messages_of(*ANN.deliveries()))
    assert some
    for table, row in cells(some):
        text = repr(row)
        for trace in (*ANN.consumer_traces, *ANN.user_traces):
            assert trace not in text, table.name


def test_rows_of_dropped_data_have_whole_keys() -> None:
    for table, row in cells(rules("drop").redacted(messages_of(*ANN.deliveries()))):
        assert all(row[name] is not None for name in table.key), table.name


def test_a_number_has_one_pseudonym_however_it_is_written_and_whatever_holds_it() -> None:
    notations = ("+1 (555) 010-7001", "0015550107001", "15550107001", "+15550107001")
    assert len({pseudonym("phone", each, key=KEY) for each in notations}) == 1
    assert pseudonym("phone", notations[0], key=KEY) == pseudonym(
        "org_phone", notations[1], key=KEY
    )
    assert pseudonym("email", "Ann@Example.com ", key=KEY) == pseudonym(
        "phone", "ann@example.com", key=KEY
    )
    assert pseudonym("phone", notations[0], key=KEY) != pseudonym(
        "phone", notations[0], key=b"another key of the sort"
    )


def test_short_codes_and_words_are_no_numbers() -> None:
    assert normal("phone", "+1") == "+1"
    assert normal("phone", "Anonymous") == "anonymous"
    assert normal("user_ref", "00A-1") == "00A-1"


def test_ids_stay_joined_in_rows_names_and_heads() -> None:
    call = {"user_id": "U1", "user_display_name": "Alex", "engagement_id": "E1"}
    users = {"U1": {"user_id": "U1", "display_name": "Alex"}}
    flows = {"F1": {"flow_id": "F1", "flow_name": "Main"}}
    names = {"enriched_at": "2026", "entities": {"user": users, "flow": flows, "x": 1}}
    names["users"] = users
    login = webhook("user_login", {"user_id": "U1"})
    some = messages_of(delivery(webhook("engagement_user_answered", call), enrichment=names))
    some += messages_of(
        delivery(login), snapshot("user", "U1", {"user_id": "U1", "display_name": "Al"})
    )
    new = pseudonym("user_ref", "U1", key=KEY)
    rows = list(cells(rules("pseudonymise", "user_ref").redacted(some)))
    ids = {
        (table.name, name)
        for table, row in rows
        for name, cell in row.items()
        if isinstance(cell, str) and new in cell
    }
    assert {
        ("raw_event", "subject"),
        ("raw_event", "partition_key"),
        ("engagement_timeline", "user_id"),
        ("engagement_participant", "participant_id"),
        ("app_user", "user_id"),
        ("user_presence", "user_id"),
    } <= ids
    (timeline,) = (row for table, row in rows if table.name == "engagement_timeline")
    assert timeline["user_display_name"] == "Alex"
    (enrichment,) = (
        orjson.loads(row["enrichment"])
        for table, row in rows
        if table is raw_table and row["enrichment"] and b"Alex" in row["enrichment"]
    )
    assert enrichment["users"] == {new: {"user_id": new, "display_name": "Alex"}}
    assert enrichment["entities"] == {"user": enrichment["users"], "flow": flows, "x": 1}


@pytest.mark.parametrize("redaction", ["pseudonymise", "drop"])
def test_an_outcome_holds_no_person_either(redaction: Redaction) -> None:
    people = {
        "agents": [{"user_id": "U1", "display_name": "Alex"}],
        "consumers": [{"consumer_id": "C1", "consumer_number": "+15550107001"}],
        "notes": [{"note_id": "N1", "user_id": "U1", "note": "Alex called"}],
        "timeline": [{"event_name": "answered", "event_content": "by Alex"}],
        "survey": {"answered": True, "results": [{"question_id": "Q", "answer": "Alex"}]},
        "durations": {"talking_ms": 5},
    }
    (outcome,) = rules(redaction).redacted(messages_of(outcome_snapshot(people)))
    rows = {table.name: row for table, row in cells([outcome])}
    assert rows["engagement"]["zoom_talking_ms"] == 5
    assert rows["engagement_outcome"]["notes"] == 1
    for trace in ("Alex", "U1", "C1", "7001"):
        assert trace not in repr(rows)


def test_a_dropped_person_has_no_snapshot_and_no_head() -> None:
    some = messages_of(
        snapshot("user", "U1", {"user_id": "U1"}),
        delivery(webhook("user_login", {"user_id": "U1"})),
    )
    (event,) = rules("drop", "user_ref").redacted(some)
    assert (event.subject, event.partition_key) == (None, None)


def test_a_body_kept_byte_for_byte_goes_with_what_it_held() -> None:
    body = webhook("engagement_note_added", {"engagement_id": "E1", "note": "a\0b"})
    (event,) = messages_of(delivery(body))
    assert event.content.verbatim
    (redacted,) = rules("pseudonymise", "free_text").redacted([event])
    assert redacted.content.verbatim is None
    assert redacted.object["note"].startswith(marker)


def test_numbers_in_place_of_texts_and_lists_of_texts_are_treated_too() -> None:
    entity = {"engagement_id": "E1", "consumer_number": 15550107001, "emails": ["a@b.example"]}
    (event,) = rules("pseudonymise").redacted(
        messages_of(delivery(webhook("engagement_started", entity)))
    )
    assert event.object["consumer_number"] == pseudonym("phone", "15550107001", key=KEY)
    assert event.object["emails"] == [pseudonym("email", "a@b.example", key=KEY)]


def test_names_and_the_schemas_agree_on_what_is_personal() -> None:
    marked: dict[str, set[str]] = {}
    for folder in ("webhooks", "reference", "enriched"):
        for path in sorted((files("schemas") / folder).rglob("*.schema.json")):  # type: ignore[attr-defined]  # a real folder
            for name, data_class in members(json.loads(path.read_text())):
                marked.setdefault(name, set()).add(data_class)
    del marked["id"]  # decided by the entity next to it
    personal = {name for name, classes in marked.items() if classes != {"none"}}
    assert {name for name in personal if class_of(name) is None} == set()
    assert {name for name in marked if class_of(name)} - personal == {
        "contact_center_number",
        "entry_email",
        "entry_number",
        "flow_number",
        "region_name",
    }


def members(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if "x-data-class" in node:
            yield name, node["x-data-class"]
        for key, child in node.items():
            if key == "properties":
                for member, schema in child.items():
                    yield from members(schema, member)
            elif key in {"items", "additionalProperties", "anyOf", "oneOf", "allOf"}:
                yield from members(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from members(child, name)


def test_a_contact_of_an_address_book_is_a_person() -> None:
    contact = {"contact_id": "C1", "display_name": "Casey", "company": "Example"}
    (kept,) = rules("pseudonymise").redacted(
        messages_of(snapshot("address_book_contact", "C1", contact))
    )
    assert isinstance(kept, ParsedReference)
    assert kept.id == pseudonym("pseudonymous_id", "C1", key=KEY)
    assert kept.state is not None
    assert all(str(value).startswith(marker) for value in kept.state.values())
