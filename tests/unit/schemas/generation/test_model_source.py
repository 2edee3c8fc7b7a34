"""Generated modules: one class for what looks alike, readable names, the formatter's own layout."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import EventType
from schemas.generation import json_schemas
from schemas.generation.model_source import model_sources
from schemas.generation.python_text import Subscript, class_lines, import_lines, member
from tests.support.vendor_document import Schema, document, webhook


def item(**members: str) -> Schema:
    properties = {name: {"type": kind} for name, kind in members.items()}
    return {"type": "object", "properties": properties}


def items(**members: str) -> Schema:
    return {"type": "array", "items": item(**members)}


def sources(**events: tuple[str, Schema]) -> dict[str, str]:
    """The modules of events, each with its family and its members."""
    published = document(**{name: webhook(name, members) for name, (_, members) in events.items()})
    kinds = {
        f"contact_center.{name}": EventType(f"contact_center.{name}", family, (), None, ())
        for name, (family, _) in events.items()
    }
    return dict(model_sources((kinds[name], schema) for name, schema in json_schemas(published)))


def classes(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.startswith("class ")]


def test_what_looks_alike_in_two_families_is_one_class_in_a_shared_module() -> None:
    modules = sources(
        one_thing=("one", {"teams": items(team_id="string")}),
        other_thing=("other", {"teams": items(team_id="string")}),
    )
    assert classes(modules["shared"]) == ["class Team(Model):"]
    assert "from .shared import Team" in modules["one"]
    assert "    teams: Maybe[tuple[Team, ...]] = None" in modules["other"]


def test_members_alike_share_a_class_named_by_the_words_in_common() -> None:
    modules = sources(
        joined=(
            "one",
            {
                "joining_participant": item(x="string"),
                "leaving_participant": item(x="string"),
                "asset_items": items(y="string"),
                "asset_item_added": items(y="string"),
                "first": item(z="string"),
                "second": item(z="string"),
            },
        )
    )
    assert classes(modules["one"])[:3] == [
        "class Participant(Model):",
        "class AssetItem(Model):",
        "class First(Model):",
    ]
    assert '"""What ``joining_participant`` is, and others alike."""' in modules["one"]


def test_a_name_for_two_things_stays_with_the_one_used_most() -> None:
    modules = sources(
        a_thing=("one", {"users": items(x="string")}),
        b_thing=("one", {"users": items(x="string")}),
        c_thing=("other", {"users": items(y="string")}),
    )
    assert classes(modules["one"])[0] == "class User(Model):"
    assert classes(modules["other"])[0] == "class CThingUser(Model):"


def test_names_that_are_taken_are_numbered() -> None:
    modules = sources(
        thing=(
            "one",
            {
                "inner": {"type": "object", "properties": {"part": item(x="string")}},
                "part": item(y="string"),
                "thing": item(z="string"),
            },
        )
    )
    assert classes(modules["one"]) == [
        "class ThingPart(Model):",
        "class Inner(Model):",
        "class ThingPart2(Model):",
        "class Thing2(Model):",
        "class ThingObject(EventObject):",
        "class Thing(Event[ThingObject]):",
    ]


def test_members_that_python_cannot_name_get_an_alias() -> None:
    (source,) = sources(thing=("one", {"from": {"type": "string"}})).values()
    assert '    from_: Maybe[str] = Field(default=None, alias="from")' in source
    assert "from pydantic import Field" in source


def test_each_type_has_its_annotation() -> None:
    members: dict[str, Any] = {
        "a": {"type": "integer", "enum": [1, 2]},
        "b": {"type": "string", "enum": ["x"], "deprecated": True},
        "c": {"type": "object"},
        "d": {"type": "number"},
        "e": {"type": "boolean", "enum": [True]},
        "f": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        "g": {"type": "string", "format": "date-time"},
    }
    (source,) = sources(thing=("one", members)).values()
    assert [line.strip() for line in source.splitlines() if line.endswith(" = None")] == [
        "a: Maybe[OpenNumber[Literal[1, 2]]] = None",
        'b: Deprecated[Open[Literal["x"]]] = None',
        "c: Maybe[dict[str, object]] = None",
        "d: Maybe[float] = None",
        "e: Maybe[bool] = None",
        "f: Maybe[tuple[tuple[str, ...], ...]] = None",
        "g: Maybe[Moment] = None",
    ]


def test_an_event_without_members_or_without_an_object_has_a_class() -> None:
    published = document(thing=webhook("thing", {}))
    ((name, schema),) = json_schemas(published)
    kind = EventType(name, "one", (), None, ())
    source = model_sources([(kind, schema)])["one"]
    properties: Any = schema["properties"]
    del properties["payload"]["properties"]["object"]
    assert model_sources([(kind, schema)])["one"] == source
    assert "class ThingObject(EventObject):" in source


@pytest.mark.parametrize("length", [*range(1, 12), 40, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 90])
def test_lines_are_laid_out_as_the_formatter_does(length: int, tmp_path: Path) -> None:
    literal = Subscript("Literal", tuple(f'"{letter * 3}{letter * length}"' for letter in "abc"))
    short = Subscript("Literal", (f'"{"x" * length}"',))
    lines = [
        *import_lines("module", [f"{'N' * length}{number}" for number in range(3)]),
        *class_lines(f"A{'b' * length}", Subscript("Event", (f"A{'b' * length}Object",)), "One."),
        "",
        *member("event", short),
        *member("first_member", Subscript("Promised", (Subscript("Open", (literal,)),)), "None"),
        *member("second_member", Subscript("Maybe", (short,)), "None"),
        *member("third", Subscript("tuple", ("str", "...")), "None"),
    ]
    source = "\n".join([*lines, ""])
    path = tmp_path / "module.py"
    path.write_text(source)
    formatter = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100"]
    subprocess.run([*formatter, str(path)], check=True, capture_output=True)
    assert path.read_text() == source


def test_no_names_need_no_import() -> None:
    assert list(import_lines("module", [])) == []
