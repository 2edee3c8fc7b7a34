"""Which operation is meant, and whether its parameters and its body are right."""

from typing import Any, Final

import pytest

from simulator.rest.bodies import read_body
from simulator.rest.documents import ApiError
from simulator.rest.parameters import check_path, read_query
from simulator.rest.routes import Routes
from simulator.rest.schema import faults, fits
from tests.support.each_case import each_case
from zoom.catalogue import Body, Operation, Parameter, Reply, Scopes, find, operations


@pytest.fixture(scope="module")
def routes() -> Routes:
    return Routes(operations().values())


def operation_with(*parameters: Parameter, body: Body | None = None) -> Operation:
    """Make an operation of a known name, so that it has schemas."""
    known = find("create_asset")
    return Operation(
        name=known.name,
        resource=known.resource,
        action="a",
        vendor_id="a",
        tag="A",
        method="POST",
        path="/a/{x_id}",
        label=known.label,
        scopes=Scopes(classic=(), granular=("s",)),
        parameters=parameters,
        body=body,
        reply=Reply(status=200),
        errors={400: (302,)},
    )


@each_case("name", sorted(operations()))
def test_the_path_of_an_operation_leads_to_it(routes: Routes, name: str) -> None:
    operation = operations()[name]
    values = {p.name: f"{p.name}%2Fx+y" for p in operation.parameters if p.location == "path"}
    path = operation.path.format(**values)
    matched, read = routes.find(operation.method, path)
    assert matched is operation
    assert read == {name: f"{name}/x+y" for name in values}


def test_a_value_that_addresses_another_operation_never_leads_here(routes: Routes) -> None:
    for operation in operations().values():
        for parameter in operation.parameters:
            for word in parameter.reserved:
                values = {p.name: "x" for p in operation.parameters if p.location == "path"}
                path = operation.path.format(**(values | {parameter.name: word}))
                try:
                    matched, _ = routes.find(operation.method, path)
                except ApiError as error:
                    assert error.status in {404, 405}  # noqa: PT017 - either may come
                else:
                    assert matched is not operation


def test_a_known_path_with_another_method_says_which_it_has(routes: Routes) -> None:
    with pytest.raises(ApiError) as caught:
        routes.find("POST", "/contact_center/skills/x")
    assert caught.value.status == 405
    assert caught.value.headers["Allow"] == "DELETE, GET, PATCH"


text = Parameter(name="p", location="query")
number = Parameter(name="p", location="query", type="integer", minimum=2, maximum=5)
array = Parameter(name="p", location="query", type="array", min_items=2, max_items=3, unique=True)
switch = Parameter(name="p", location="query", type="boolean")
sized = Parameter(name="p", location="query", min_length=2, max_length=3)
listed = Parameter(name="p", location="query", values=("a", "b"))
listed_array = Parameter(name="p", location="query", type="array", values=("a", "b"))
truth = Parameter(name="p", location="query", type="boolean", values=(True,))


@pytest.mark.parametrize(
    ("parameter", "sent", "value"),
    [
        (text, ["x", "y"], "y"),
        (text, [""], ""),
        (number, ["2"], 2),
        (number, ["5"], 5),
        (array, ["a,b"], ("a", "b")),
        (array, ["a", "b", "c"], ("a", "b", "c")),
        (Parameter(name="p", location="query", type="array"), [""], ()),
        (switch, ["true"], True),
        (switch, ["false"], False),
        (sized, ["ab"], "ab"),
        (listed, ["b"], "b"),
        (listed_array, ["b,a"], ("b", "a")),
        (truth, ["true"], True),
    ],
)
def test_a_parameter_is_read_by_its_type(
    parameter: Parameter, sent: list[str], value: object
) -> None:
    query = read_query(operation_with(parameter), [("p", text) for text in sent])
    assert query == {"p": value}


@pytest.mark.parametrize(
    ("parameter", "sent", "code"),
    [
        (number, "1", 300),
        (number, "6", 300),
        (number, "2.0", 300),
        (number, "", 300),
        (number, "٣", 300),
        (array, "a", 300),
        (array, "a,b,c,d", 300),
        (array, "a,a", 300),
        (switch, "yes", 300),
        (sized, "a", 300),
        (sized, "abcd", 300),
        (listed, "c", 302),
        (listed_array, "a,c", 302),
        (truth, "false", 302),
    ],
)
def test_a_parameter_out_of_its_bounds_is_refused(
    parameter: Parameter, sent: str, code: int
) -> None:
    with pytest.raises(ApiError) as caught:
        read_query(operation_with(parameter), [("p", sent)])
    assert (caught.value.status, caught.value.document["code"]) == (400, code)


def test_what_is_required_must_be_there_and_what_is_unknown_is_ignored() -> None:
    operation = operation_with(Parameter(name="p", location="query", required=True))
    assert read_query(operation, [("p", "1"), ("q", "2")]) == {"p": "1"}
    with pytest.raises(ApiError):
        read_query(operation, [("q", "2")])


@pytest.mark.parametrize("value", ["", "notes", "c"])
def test_a_value_in_the_path_that_is_no_id_is_refused(value: str) -> None:
    parameter = Parameter(
        name="x_id", location="path", required=True, reserved=("notes",), values=("", "notes", "a")
    )
    operation = operation_with(parameter)
    check_path(operation, {"x_id": "a"})
    with pytest.raises(ApiError):
        check_path(operation, {"x_id": value})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object", "required": ["a"]}, {"a": 1}, {}),
        ({"properties": {"a": {"type": "string"}}}, {"a": "x", "b": 1}, {"a": 1}),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2.0], [1, 2.5]),
        ({"type": "array", "minItems": 1}, [0], []),
        ({"type": "array", "maxItems": 1}, [0], [0, 1]),
        ({"type": "array", "uniqueItems": True}, [1, 2], [1, 1]),
        ({"type": "string", "minLength": 2}, "ab", "a"),
        ({"type": "string", "maxLength": 2}, "ab", "abc"),
        ({"type": "string", "pattern": "^a"}, "ab", "ba"),
        ({"type": "string", "enum": ["a"]}, "a", "b"),
        ({"type": "integer", "minimum": 1}, 1, 0),
        ({"type": "number", "maximum": 1}, 0.5, 1.5),
        ({"type": "integer"}, 1, True),
        ({"type": "number"}, 1, False),
        ({"type": "boolean"}, True, 1),
        ({"type": ["string", "null"]}, None, 1),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "a", 1),
        ({}, object(), None),
    ],
)
def test_a_value_is_held_against_each_word_of_a_schema(
    schema: dict[str, Any], good: object, bad: object
) -> None:
    assert fits(good, schema)
    assert fits(bad, schema) is not bool(schema)


def test_a_fault_says_where_it_is() -> None:
    schema = {
        "properties": {"a": {"items": {"required": ["b"], "properties": {"c": {"type": "null"}}}}}
    }
    locations = [where for where, _ in faults({"a": [{"b": 1}, {"c": 1}]}, schema)]
    assert locations == ["body.a[1].b", "body.a[1].c"]


FORM: Final = "multipart/form-data"
BOUNDED = f"{FORM}; boundary=b"


def form_of(*parts: str) -> bytes:
    return "".join(f"--b\r\n{part}\r\n" for part in parts).encode() + b"--b--\r\n"


def test_a_form_is_read_into_its_fields() -> None:
    operation = operation_with(body=Body(content_type=FORM, required=True))
    body = form_of(
        'Content-Disposition: form-data; name="asset_name"\r\n\r\nDrei Töne',
        'Content-Disposition: form-data; name="asset_type"\r\n\r\naudio',
        'Content-Disposition: form-data; name="asset_items"; filename="a.mp3"\r\n'
        "Content-Type: audio/mpeg\r\n\r\n\x00\x01",
    )
    assert read_body(operation, BOUNDED, body) == {
        "asset_name": "Drei Töne",
        "asset_type": "audio",
        "asset_items": "a.mp3",
    }


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (FORM, form_of("")),
        (BOUNDED, b"no form at all"),
        (BOUNDED, form_of("Content-Disposition: form-data\r\n\r\nx")),
        (BOUNDED, form_of('Content-Disposition: form-data; name="asset_name"\r\n\r\nx')),
        ("application/json", b"{}"),
        ("", b"{}"),
    ],
)
def test_what_is_no_form_of_the_operation_is_refused(content_type: str, content: bytes) -> None:
    operation = operation_with(body=Body(content_type=FORM, required=True))
    with pytest.raises(ApiError) as caught:
        read_body(operation, content_type, content)
    assert caught.value.status == 400


def test_a_body_may_be_left_out_where_nothing_in_it_is_required() -> None:
    assert read_body(operation_with(body=Body()), "", b"") is None
    assert read_body(operation_with(), "", b"") is None
    for operation in (operation_with(body=Body(required=True)), operation_with()):
        with pytest.raises(ApiError):
            read_body(operation, "", b"{}" if operation.body is None else b"")
