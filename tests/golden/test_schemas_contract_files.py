"""The committed contract is what the vendor's document says, and holds for the vendor's examples.

Without the vendor's files a test that needs one holds to the digest
(tests/support/vendor_digest.py).
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from jsonschema import Draft202012Validator

from operations.schemas.contract_files import diff, generate
from processors.entities.fields import event_fields, fields_of, named_kinds
from processors.entities.kinds import kinds
from processors.entities.member import (
    Answer,
    Missing,
    enrichment,
    skipped,
    with_member_appended,
)
from processors.entities.references import Entity, EntityReference
from schemas.asyncapi import reference_entities
from schemas.catalogue import events, example, json_schema
from schemas.generation import strict
from schemas.models import read, reference
from schemas.models.enrichment import EnrichedEntities, Enrichment
from schemas.models.reference import Reference as AnyReference
from tests.support.each_case import each_case
from tests.support.vendor_digest import vendor_file, webhook_files
from tests.support.vendor_document import object_of

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "schemas"


EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    # The vendor's example of this event is a copy of another's, name included.
    "contact_center.queue_deleted": {"event": "contact_center.queue_created"},
}
"""Published examples that the vendor's own texts contradict: the value of each such member."""

REFERENCES: Mapping[str, type[AnyReference[Any]]] = {
    get_args(model.model_fields["entity"].annotation)[0]: model
    for model in (getattr(reference, name) for name in reference.__all__)
    if model is not AnyReference
}
"""All models of the reference topic, by entity."""

PERSONAL = {
    "phone": {"personal"},
    "email": {"personal"},
    "person_name": {"personal"},
    "file_name": {"personal"},
    "location": {"personal"},
    "free_text": {"sensitive"},
    "free_text_low": {"personal"},
    "dtmf": {"sensitive"},
    "url": {"sensitive"},
    "pseudonymous_id": {"pseudonymous"},
    "user_ref": {"pseudonymous"},
    "org_phone": {"none"},  # the company's own lines
}
"""Category of the vendor's fields, as analysed, to the class that ours must have."""

NOT_PERSONAL = {"timezone"}
"""Counted as a location, but of opening hours, not of a person."""


def analysed_events() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(vendor_file("events.json").read_bytes())
    assert len(rows) == 124
    return rows


def validator(schema: Mapping[str, object]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def committed() -> dict[str, bytes]:
    """The generated files of the checkout."""
    return {str(path.relative_to(CONTRACT)): path.read_bytes() for path in webhook_files()}


@pytest.mark.static
def test_the_vendors_document_gives_exactly_the_committed_files(tmp_path: Path) -> None:
    document = vendor_file("webhooks.openapi.json")
    generate(document, tmp_path)
    fresh = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    stale = {name for name, content in committed().items() if fresh.get(name) != content}
    assert stale == set(), "run: zcc schemas generate"
    assert fresh.keys() == committed().keys(), "a file is left over, or one is missing"


def test_a_second_generation_changes_nothing(tmp_path: Path) -> None:
    document = vendor_file("webhooks.openapi.json")
    assert generate(document, tmp_path)
    assert generate(document, tmp_path) == []


def test_the_older_document_differs_by_two_events_and_six_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = vendor_file("webhooks.openapi.json")
    document = orjson.loads(newer.read_bytes())
    for direction in ("in", "out"):
        del document["webhooks"][f"contact_center.consumer_messaging_opt_{direction}"]
    transfers = ("accepted", "initiated", "queued", "rejected", "reserved", "timeout")
    for transfer in transfers:
        post = document["webhooks"][f"contact_center.engagement_transfer_{transfer}"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        object_of(schema)["properties"]["channel"]["enum"] = ["voice"]
    older = tmp_path / "older.json"
    older.write_bytes(orjson.dumps(document))

    assert diff(older, newer, as_json=True) == 0
    differences = orjson.loads(capsys.readouterr().out)["differences"]
    assert sorted((each["event"].partition(".")[2], each["change"]) for each in differences) == [
        ("consumer_messaging_opt_in", "event added"),
        ("consumer_messaging_opt_out", "event added"),
        *((f"engagement_transfer_{transfer}", "values added") for transfer in transfers),
    ]
    assert {each["path"] for each in differences} == {"", "payload.object.channel"}
    assert {each["detail"] for each in differences} == {"", "messaging, email, work_item"}

    assert diff(newer, older, as_json=True) == 1
    assert len(orjson.loads(capsys.readouterr().out)["differences"]) == 8


def test_the_published_examples_validate_but_for_the_listed_exceptions() -> None:
    for row in analysed_events():
        name, body = row["event"], row["example"]
        for member, stands in EXCEPTIONS.get(name, {}).items():
            assert body[member] == stands
            body[member] = row[member]
        validator(strict(json_schema(name))).validate(body)
        read(orjson.dumps(body), strict=True)


def test_every_field_of_the_vendors_is_in_the_schemas_as_it_was_analysed() -> None:
    for row in analysed_events():
        ours = dict(fields(object_of(json_schema(row["event"])), ""))
        for field in row["fields"]:
            schema = ours.pop(field["path"])
            assert schema.get("x-known-values") == field.get("enum"), (row["event"], field["path"])
            assert schema.get("deprecated", False) == field.get("deprecated", False)
        assert [path for path in ours if path and not path.endswith("[]")] == []


def test_how_personal_a_field_is_agrees_with_the_analysis() -> None:
    for row in analysed_events():
        ours = dict(fields(object_of(json_schema(row["event"])), ""))
        for category, paths in row["pii"].items():
            for path in paths:
                if path.rpartition(".")[2] not in NOT_PERSONAL:
                    assert ours[path]["x-data-class"] in PERSONAL[category], (row["event"], path)


@each_case("name", events)
def test_an_example_satisfies_its_closed_schema_and_its_model(name: str) -> None:
    validator(strict(json_schema(name))).validate(orjson.loads(example(name)))
    assert read(example(name), strict=True).event.event == name


@each_case("name", events)
def test_every_text_number_and_truth_value_has_a_class(name: str) -> None:
    scalars = {"string", "integer", "number", "boolean"}
    for path, schema in fields(json_schema(name), ""):
        marked = schema.get("x-data-class") in {"none", "pseudonymous", "personal", "sensitive"}
        assert marked == (schema.get("type") in scalars), path


def test_the_contract_holds_no_prose_and_no_real_number_or_host() -> None:
    for name, content in committed().items():
        text = content.decode()
        assert "description" not in re.findall(r'"(\w+)": "', text), name
        for number in re.findall(r"\+\d+", text):
            assert re.fullmatch(r"\+1202555(01\d\d)", number), name
        for host in re.findall(r"(?:https?://|@)([\w.-]+\.\w+)", text):
            assert host in {"example.com", "json-schema.org"}, name


@pytest.mark.parametrize("name", ["complete", "partial", "skipped"])
def test_an_example_of_an_enriched_event_satisfies_both_schemas_and_the_model(name: str) -> None:
    body = (CONTRACT / "examples" / "enriched" / f"{name}.json").read_bytes()
    parsed = orjson.loads(body)
    enriched_validator().validate(parsed)
    validator(json_schema(parsed["event"])).validate(parsed)
    parsed_enrichment = read(body, strict=True).event.enrichment
    assert parsed_enrichment is not None
    assert parsed_enrichment.status == name


def test_what_the_enrichment_writes_satisfies_the_schema_and_the_model() -> None:
    fields = event_fields(named_kinds, fields=(), allowed=())
    ann: dict[str, object] = {"user_id": "Ann-ID", "display_name": "Ann", "user_email": "a@b.c"}
    answers: dict[EntityReference, Answer] = {
        EntityReference(Entity.USER, "ann-id"): fields.fragment(Entity.USER, ann),
        EntityReference(Entity.QUEUE, "old"): fields.fragment(Entity.QUEUE, {"cc_queue_id": "q"}),
        **{EntityReference(Entity.USER, reason.value): reason for reason in Missing},
    }
    at = "2026-01-15T09:30:00.789Z"
    enriched_event(skipped(revision=1, enriched_at=at))
    member = enriched_event(enrichment(answers, revision=1, enriched_at=at))
    assert member.entities.user["ann-id"].display_name == "Ann"
    assert member.entities.queue["old"].cc_queue_id == "q"
    with pytest.deprecated_call():
        assert member.users["ann-id"].display_name == "Ann"
    missing = enrichment_schema()["missing"]["items"]["properties"]
    assert missing["reason"]["x-known-values"] == [reason.value for reason in Missing]
    assert missing["entity"]["x-known-values"] == [kind.value for kind in named_kinds]


def test_the_fields_of_entities_are_those_of_the_schema_and_the_models_with_their_class() -> None:
    by_kind = enrichment_schema()["entities"]["properties"]
    assert list(by_kind) == [kind.value for kind in named_kinds]
    for kind in named_kinds:
        schema = by_kind[kind]["additionalProperties"]["properties"]
        assert list(schema) == list(fields_of(kind)), kind
        classes = {name: field.get("x-data-class", "none") for name, field in schema.items()}
        assert classes == fields_of(kind), kind
        values = get_args(EnrichedEntities.model_fields[kind].annotation)[1]
        assert list(values.model_fields) == list(schema), kind
    assert list(EnrichedEntities.model_fields) == list(by_kind)


def test_a_record_from_before_the_entities_is_still_read() -> None:
    member = (
        b'{"status":"complete","revision":1,"users":{"u":{"user_id":"u","display_name":"Ann"}},'
        b'"queues":{},"missing":[],"enriched_at":"2026-01-15T09:30:00.789Z"}'
    )
    read_again = enriched_event(member)
    assert dict(read_again.entities.user) == {}
    with pytest.deprecated_call():
        assert read_again.users["u"].display_name == "Ann"


def test_every_entity_of_the_reference_topic_has_a_model() -> None:
    assert set(REFERENCES) == set(reference_entities)


@each_case("entity", kinds)
def test_the_contract_of_an_entity_is_what_is_kept_of_it(entity: str) -> None:
    schema = own_schema(f"reference/{entity}.schema.json")["properties"]["state"]
    assert tuple(schema["properties"]) == kinds[entity].kept
    assert schema["required"] == [kinds[entity].id_field]


@pytest.mark.parametrize("entity", REFERENCES)
def test_an_example_of_a_reference_has_every_member_of_schema_and_model(entity: str) -> None:
    schema = own_schema(f"reference/{entity}.schema.json")
    body = (CONTRACT / "examples" / "reference" / f"{entity}.json").read_bytes()
    validator(strict(schema)).validate(orjson.loads(body))
    assert dict(fields(schema, "")).keys() == set(paths_of(orjson.loads(body), ""))
    parsed = REFERENCES[entity].model_validate_json(body)
    assert (
        orjson.loads(parsed.model_dump_json(exclude_none=True)).keys() == orjson.loads(body).keys()
    )
    assert set(vars(parsed.state)) == set(schema["properties"]["state"]["properties"])
    required = {name for name, f in type(parsed.state).model_fields.items() if f.is_required()}
    assert required == set(schema["properties"]["state"]["required"])
    assert (parsed.model_extra, parsed.state.model_extra) == ({}, {})


def test_the_schemas_are_valid_and_have_names_of_their_own() -> None:
    paths = list(CONTRACT.rglob("*.schema.json"))
    assert len(paths) == 124 + 2 + len(REFERENCES)  # the enriched event, the outcome
    ids = set()
    for path in paths:
        schema = orjson.loads(path.read_bytes())
        Draft202012Validator.check_schema(schema)
        ids.add(schema["$id"])
    assert len(ids) == len(paths)


def test_generated_modules_need_no_formatter() -> None:
    for name, content in committed().items():
        if name.endswith(".py"):
            assert content.startswith(b'"""Models of ')
            assert max(map(len, content.splitlines())) <= 100, name


@pytest.mark.static
def test_a_family_is_loaded_only_when_requested() -> None:
    program = (
        "import sys; import schemas.models as m; m.model_for('contact_center.team_created');"
        "print(sorted(n for n in sys.modules if n.startswith('schemas.models.')))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "schemas.models.team" in done.stdout
    assert "schemas.models.user" not in done.stdout


def own_schema(name: str) -> Any:
    return orjson.loads((CONTRACT / name).read_bytes())


def enrichment_schema() -> Any:
    return own_schema("enriched/event.schema.json")["properties"]["enrichment"]["properties"]


def enriched_event(member: bytes) -> Enrichment:
    """The member as a consumer reads it, by the schema and by the model."""
    body = with_member_appended(example("contact_center.engagement_user_answered").rstrip(), member)
    enriched_validator().validate(orjson.loads(body))
    event, drift = read(body, strict=True)
    assert drift == ()
    assert event.enrichment is not None
    assert event.enrichment.model_extra == {}
    return event.enrichment


def enriched_validator() -> Draft202012Validator:
    return validator(own_schema("enriched/event.schema.json"))


def fields(schema: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each schema inside a schema, by its path."""
    yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from fields(member, f"{path}.{name}".removeprefix("."))
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


def paths_of(value: object, path: str) -> Iterator[str]:
    """The path of each value, as `fields` writes it."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths_of(member, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for item in value:
            yield from paths_of(item, f"{path}[]")
