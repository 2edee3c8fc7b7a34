"""What typed resources are written from schemas with the quirks of the real ones."""

import inspect
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import pytest

from tests.support.vendor_rest_document import (
    Document,
    document,
    in_path,
    listing,
    operation,
    query,
)
from zoom.generation import artefacts
from zoom.requests.bodies import File

Members = dict[str, Any]


def sources(**operations: Document) -> Mapping[str, str]:
    """The modules of one resource, ``things``, by their path below ``resources/``."""
    files = artefacts(document(**operations), document())
    return {
        path.removeprefix("resources/"): content.decode()
        for path, content in files
        if path.startswith("resources/")
    }


def types(**operations: Document) -> dict[str, Any]:
    """What the module of types defines."""
    namespace: dict[str, Any] = {}
    exec(sources(**operations)["types/things.py"], namespace)
    return namespace


def replying(members: Members, **schema: Any) -> dict[str, Any]:
    """What is defined for one operation that answers with an object of these members."""
    reply = {"type": "object", "properties": members, **schema}
    return types(
        **{"get_/things/{thingId}": operation(parameters=(in_path("thingId"),), reply=reply)}
    )


def method(name: str, **operations: Document) -> str:
    """The source of one method."""
    source = sources(**operations)["things.py"]
    _, _, after = source.partition(f"def {name}(")
    return f"def {name}(" + after.partition("\n    async def ")[0].partition("\n    def ")[0]


def obj(**members: Document) -> Document:
    return {"type": "object", "properties": members}


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def test_an_object_inside_is_named_by_the_reply_and_its_member() -> None:
    namespace = replying(
        {"owner": obj(id=TEXT), "parts": {"type": "array", "items": obj(id=NUMBER)}}
    )
    part = namespace["ThingPart"]
    hints = get_type_hints(namespace["Thing"])
    assert hints == {"owner": namespace["ThingOwner"], "parts": list[part]}


def test_a_name_says_more_of_the_way_down_only_where_another_object_has_the_short_one() -> None:
    namespace = replying(
        {
            "first": obj(owner=obj(id=TEXT)),
            "second": obj(owner=obj(id=TEXT)),
            "third": obj(owner=obj(id=NUMBER)),
        }
    )
    owner, other = namespace["ThingOwner"], namespace["ThingThirdOwner"]
    assert get_type_hints(namespace["ThingFirst"]) == {"owner": owner}
    assert get_type_hints(namespace["ThingSecond"]) == {"owner": owner}
    assert get_type_hints(namespace["ThingThird"]) == {"owner": other}


def test_objects_that_no_way_down_tells_apart_get_numbers() -> None:
    namespace = replying(
        {
            "parts": {"type": "array", "items": obj(id=TEXT)},
            "part": obj(id=NUMBER),
            "Part": obj(id={"type": "boolean"}),
        }
    )
    hints = get_type_hints(namespace["Thing"])
    assert hints["part"] is namespace["ThingPartItem"]
    assert hints["Part"] is namespace["ThingPart2"]


def test_what_another_operation_answers_with_keeps_its_name() -> None:
    one = operation(reply=obj(part=obj(id=TEXT)))
    other = operation(reply=obj(id=NUMBER))
    namespace = types(**{"get_/thing": one, "get_/thing/part": other})
    assert get_type_hints(namespace["Thing"]) == {"part": namespace["ThingPartItem"]}
    assert get_type_hints(namespace["ThingPart"]) == {"id": int}


def test_members_that_must_be_there_are_required_and_no_others() -> None:
    thing = replying({"id": TEXT, "hue": TEXT}, required=["id"])["Thing"]
    assert (thing.__required_keys__, thing.__optional_keys__) == ({"id"}, {"hue"})


def test_a_member_called_like_a_keyword_keeps_its_name() -> None:
    thing = replying({"from": TEXT, "to": NUMBER}, required=["from"])["Thing"]
    assert get_type_hints(thing) == {"from": str, "to": int}
    assert thing.__required_keys__ == {"from"}


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        (TEXT | {"enum": ["a", "b"]}, str),
        (TEXT | {"format": "date-time"}, str),
        (TEXT | {"nullable": True}, str | None),
        ({"type": "number"}, float),
        ({"type": "boolean"}, bool),
        ({"type": "array"}, list[object]),
        ({"type": "array", "items": TEXT}, list[str]),
    ],
)
def test_a_member_of_a_reply_has_the_type_of_its_schema(schema: Document, hint: Any) -> None:
    assert get_type_hints(replying({"member": schema})["Thing"]) == {"member": hint}


def test_one_of_several_objects_is_a_union_of_them() -> None:
    namespace = replying({"owner": {"oneOf": [obj(id=TEXT), obj(name=TEXT)]}})
    assert get_args(namespace["ThingOwner"]) == (namespace["ThingOwner1"], namespace["ThingOwner2"])
    assert get_type_hints(namespace["Thing"]) == {"owner": namespace["ThingOwner"]}


def test_items_that_are_one_of_several_objects_are_a_union_too() -> None:
    items = {"type": "array", "items": {"oneOf": [obj(id=TEXT), obj(name=TEXT)]}}
    reply = listing() | {"properties": listing()["properties"] | {"things": items}}
    token = query("next_page_token")
    namespace = types(**{"get_/things": operation(parameters=(token,), reply=reply)})
    assert get_args(namespace["ListedThing"]) == (
        namespace["ListedThing1"],
        namespace["ListedThing2"],
    )


def test_a_reply_that_is_an_array_is_a_list() -> None:
    reply = {"type": "array", "items": obj(id=TEXT)}
    namespace = types(**{"post_/things": operation(reply=reply)})
    item = namespace["CreatedThingItem"]
    assert namespace["CreatedThing"] == list[item]


def test_a_body_is_closed_where_the_vendor_lists_values_and_takes_files() -> None:
    body = obj(
        hue=TEXT | {"enum": ["red", "blue", "red"]},
        size=NUMBER | {"enum": [1, 2]},
        image=TEXT | {"format": "binary"},
    )
    hints = get_type_hints(types(**{"post_/things": operation(body=body)})["CreateThingBody"])
    assert get_args(hints.pop("hue")) == ("red", "blue")
    assert get_args(hints.pop("size")) == (1, 2)
    assert hints == {"image": File}


def test_deprecated_members_are_listed() -> None:
    old = TEXT | {"deprecated": True}
    thing = replying({"hue": old, "size": old, "id": TEXT})["Thing"]
    assert inspect.getdoc(thing) == (
        "What ``get_thing`` answers with.\n\nDeprecated: ``hue``, ``size``."
    )
    source = method(
        "list", **{"get_/things": operation(parameters=(query("hue", deprecated=True),))}
    )
    assert "Deprecated: ``hue``." in source


def test_a_long_path_is_written_on_a_line_of_its_own() -> None:
    deep: Document = obj(id=TEXT)
    for _ in range(10):
        deep = obj(something_nested=deep)
    namespace = replying(deep["properties"])
    docs = [
        inspect.getdoc(each) or "" for name, each in namespace.items() if name.startswith("Thing")
    ]
    path = ".".join(["something_nested"] * 10)
    assert f"Part of what ``get_thing`` answers with.\n\n``{path}``" in docs


def test_a_short_list_of_values_is_written_at_the_parameter_and_a_long_one_has_a_name() -> None:
    short, long = ["red", "blue"], [f"hue_number_{number}" for number in range(9)]
    published = {
        "get_/things": operation(
            parameters=(query("short", enum=short), query("long", enum=long)),
        ),
        "get_/things/{thingId}": operation(
            parameters=(in_path("thingId"), query("long", enum=["other", *long])),
        ),
    }
    assert 'short: Literal["red", "blue"] | None = None' in method("list", **published)
    assert "long: Long | None = None" in method("list", **published)
    assert "long: GetThingLong | None = None" in method("get", **published)
    defined = types(**published)
    assert get_args(defined["Long"]) == tuple(long)
    assert get_args(defined["GetThingLong"]) == ("other", *long)


def test_ids_go_by_place_and_what_must_be_there_comes_first() -> None:
    parameters = (
        query("hue"),
        query("size", type="integer") | {"required": True},
        in_path("thingId"),
    )
    body = obj(name=TEXT) | {"required": ["name"]}
    published = operation(parameters=parameters, body=body)
    source = method("update", **{"patch_/things/{thingId}": published})
    assert source.startswith(
        "def update(\n        self,\n        thing_id: str,\n        *,\n"
        "        body: UpdateThingBody,\n        size: int,\n        hue: str | None = None,\n"
        "    ) -> None:"
    )


@pytest.mark.parametrize(
    ("form", "kinds"),
    [
        ("in `yyyy-MM-dd` format", "date | str"),
        ("in `yyyy-MM-dd'T'HH:mm:ss'Z'` format", "datetime | str"),
        ("in `yyyy-MM-dd` or `yyyy-MM-dd'T'HH:mm:ss'Z'` format", "datetime | date | str"),
        ("in `yyyy-MM-dd` or `yyyy-MM-dd'T'HH:mm:ss'Z'`, `Z` is a literal", "date | str"),
    ],
)
def test_the_ends_of_a_window_are_what_can_be_written_in_its_forms(form: str, kinds: str) -> None:
    ends = (query("from", form), query("to"))
    source = method("list", **{"get_/things": operation(parameters=ends)})
    assert f"from_: {kinds} | None = None" in source
    assert f"to: {kinds} | None = None" in source


def test_a_list_without_pages_has_no_iterator() -> None:
    token = query("next_page_token")
    published = {
        "get_/things": operation(parameters=(token,), reply=listing()),
        "get_/things/{thingId}/parts": operation(
            parameters=(in_path("thingId"),),
            reply=obj(parts={"type": "array", "items": obj(id=TEXT)}),
        ),
    }
    source = sources(**published)["things.py"]
    assert "def list_all(self) -> AsyncGenerator[ListedThing, None]:" in source
    assert "def list_parts(" in source
    assert "def list_parts_all(" not in source


def test_what_one_resource_needs_is_imported_and_no_more() -> None:
    source = sources(**{"delete_/things": operation()})["things.py"]
    imports = [line.strip() for line in source.splitlines() if "import" in line]
    assert imports == [
        "from __future__ import annotations",
        "from typing import TYPE_CHECKING",
        "from zoom.messages import Caller",
    ]
