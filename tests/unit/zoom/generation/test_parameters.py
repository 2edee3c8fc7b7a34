"""Parameters as the vendor's REST document describes them."""

import pytest

from tests.support.generated_operations import generated, only
from tests.support.vendor_rest_document import Document, document, in_path, operation, query
from zoom.catalogue import Parameter


def parameter(published: Document) -> Parameter:
    (read,) = only(document(**{"get_/things": operation(parameters=(published,))})).parameters
    return read


def test_parameters_in_the_path_come_first_in_its_order_and_in_snake_case() -> None:
    taken = (query("a"), in_path("thingId"), in_path("ownerId"))
    read = only(document(**{"get_/owners/{ownerId}/things/{thingId}": operation(parameters=taken)}))
    assert read.path == "/contact_center/owners/{owner_id}/things/{thing_id}"
    assert [each.name for each in read.parameters] == ["owner_id", "thing_id", "a"]
    assert [each.required for each in read.parameters] == [True, True, False]


def test_an_id_must_not_be_a_word_that_addresses_another_path() -> None:
    thing, part = in_path("thingId"), in_path("partId")
    rest = document(
        **{
            "get_/things/{thingId}": operation(parameters=(thing,)),
            "get_/things/{thingId}/parts": operation(parameters=(thing,)),
            "get_/things/{thingId}/parts/{partId}": operation(parameters=(thing, part)),
            "get_/things/{thingId}/parts/newest": operation(parameters=(thing,)),
            "get_/things/spare": operation(),
            "put_/things/spare/{partId}": operation(parameters=(part,)),
            "get_/{thingId}/state/now": operation(parameters=(thing,)),
        }
    )
    kinds = {
        each.path.removeprefix("/contact_center"): {p.name: p.reserved for p in each.parameters}
        for name, each in generated(rest).items()
        if not name.startswith("schemas/")
    }
    assert kinds == {
        "/things/{thing_id}": {"thing_id": ("spare",)},
        "/things/{thing_id}/parts": {"thing_id": ("spare",)},
        "/things/{thing_id}/parts/{part_id}": {"thing_id": (), "part_id": ("newest",)},
        "/things/{thing_id}/parts/newest": {"thing_id": ()},
        "/things/spare": {},
        "/things/spare/{part_id}": {"part_id": ()},
        "/{thing_id}/state/now": {"thing_id": ()},
    }


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (query("a"), Parameter(name="a", location="query")),
        (query("a", format="string"), Parameter(name="a", location="query")),
        (query("a", format="date"), Parameter(name="a", location="query", format="date")),
        (query("a", deprecated=True), Parameter(name="a", location="query", deprecated=True)),
        (
            query("a") | {"deprecated": True, "required": True},
            Parameter(name="a", location="query", deprecated=True, required=True),
        ),
        (
            query("a", type="integer", minimum=1, maximum=300, default=30),
            Parameter(
                name="a", location="query", type="integer", minimum=1, maximum=300, default=30
            ),
        ),
        (
            query("a", type="boolean", enum=[True], default=True),
            Parameter(name="a", location="query", type="boolean", values=(True,), default=True),
        ),
        (
            query("a", enum=["true", "false"], minLength=1, maxLength=9, default="true"),
            Parameter(
                name="a",
                location="query",
                values=("true", "false"),
                min_length=1,
                max_length=9,
                default="true",
            ),
        ),
        (
            query("a", type="array", items={"type": "string", "enum": ["b", "c"]}),
            Parameter(
                name="a", location="query", type="array", values=("b", "c"), commas="assumed"
            ),
        ),
        (
            query("a", type="array", items={"type": "string"}, enum=["b", "c"]),
            Parameter(
                name="a", location="query", type="array", values=("b", "c"), commas="assumed"
            ),
        ),
        (
            query(
                "a",
                type="array",
                items={"type": "string", "example": "b,c"},
                minItems=1,
                maxItems=20,
                uniqueItems=True,
            ),
            Parameter(
                name="a",
                location="query",
                type="array",
                min_items=1,
                max_items=20,
                unique=True,
                commas="stated",
            ),
        ),
        (
            query("a", "Put commas between them.", maxLength=100, enum=["b", "c"]),
            Parameter(name="a", location="query", type="array", values=("b", "c"), commas="stated"),
        ),
        (
            query("a", example="b, c"),
            Parameter(name="a", location="query", type="array", commas="stated"),
        ),
    ],
)
def test_a_parameter_is_read_as_it_is_meant(published: Document, expected: Parameter) -> None:
    assert parameter(published) == expected
