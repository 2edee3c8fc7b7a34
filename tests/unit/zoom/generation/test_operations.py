"""What becomes of the vendor's REST documents, on small ones with the quirks of the real ones."""

from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from schemas.generation import SchemaSourceError
from tests.support.vendor_rest_document import (
    Document,
    document,
    in_path,
    listing,
    operation,
    query,
)
from zoom.catalogue import Operation, Parameter, Window, operations_adapter
from zoom.generation import artefacts
from zoom.generation.names import action_name, operation_name, resource_name, singular

NO_MASTER = document()
FORMS = "in `yyyy-MM-dd'T'HH:mm:ss'Z'` format"


def generated(rest: Document, master: Document = NO_MASTER) -> dict[str, Any]:
    """Operations by name, and what is in each file of schemas."""
    files = dict(artefacts(rest, master))
    found = operations_adapter.validate_json(files.pop("operations.json"))
    return {each.name: each for each in found} | {
        name: orjson.loads(content) for name, content in files.items() if name.endswith(".json")
    }


def only(rest: Document) -> Operation:
    (found,) = operations_adapter.validate_json(dict(artefacts(rest, NO_MASTER))["operations.json"])
    return found


def parameter(told: Document) -> Parameter:
    (found,) = only(document(**{"get_/things": operation(parameters=(told,))})).parameters
    return found


def window(start: str, /, *, refused: str = "", **schema: Any) -> Window:
    taken = (query("from", start, **schema), query("to", "prose"))
    found = operation(parameters=taken, failures={"400": refused})
    return only(document(**{"get_/things": found})).windows[0]


def schema_of(found: Document, part: str) -> Any:
    wrapped = {"type": "object", "properties": {"member": found}}
    whole = operation(**{part: wrapped})
    files = generated(document(**{"post_/things": whole}))
    return files["schemas/things.json"]["create_thing"][part]["properties"]["member"]


@pytest.mark.parametrize(
    ("method", "path", "paged", "name"),
    [
        ("GET", "/contact_center/queues", True, "list_queues"),
        ("GET", "/contact_center/queues/{queueId}", False, "get_queue"),
        ("POST", "/contact_center/queues", False, "create_queue"),
        ("POST", "/contact_center/queues/batch", False, "create_queues"),
        ("DELETE", "/contact_center/users", False, "delete_users"),
        ("GET", "/contact_center/teams/{teamId}/parents", False, "list_team_parents"),
        (
            "GET",
            "/contact_center/engagements/{engagementId}/survey",
            False,
            "get_engagement_survey",
        ),
        ("POST", "/contact_center/queues/{queueId}/agents", False, "assign_queue_agents"),
        (
            "DELETE",
            "/contact_center/queues/{queueId}/agents/{userId}",
            False,
            "unassign_queue_agent",
        ),
        ("PATCH", "/contact_center/queues/{queueId}/agents/{userId}", False, "update_queue_agent"),
        ("POST", "/contact_center/dispositions/sets", False, "create_disposition_set"),
        ("PUT", "/contact_center/flows/{flowId}/publish", False, "publish_flow"),
        ("POST", "/contact_center/roles/duplicate", False, "duplicate_role"),
        ("GET", "/contact_center/asset_library/categories", True, "list_asset_categories"),
        ("GET", "/accounts/{accountId}/contact_center/sms", True, "list_account_sms"),
        ("POST", "/contact_center/engagement", False, "start_engagement"),
        ("GET", "/contact_center/reports/{reportId}", False, "get_report"),
    ],
)
def test_a_name_follows_from_method_and_path(
    method: Any, path: str, *, paged: bool, name: str
) -> None:
    assert operation_name(method, path, paged=paged) == name


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("inboxes", "inbox"),
        ("categories", "category"),
        ("system_statuses", "system_status"),
        ("ip_addresses", "ip_address"),
        ("devices", "device"),
        ("sms", "sms"),
        ("status", "status"),
    ],
)
def test_a_plural_has_its_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("name", "resource", "action"),
    [
        ("get_engagement", "engagements", "get"),
        ("list_queues", "queues", "list"),
        ("delete_queues", "queues", "delete_many"),
        ("update_queue_agent", "queues", "update_agent"),
        ("import_flow", "flows", "import_flow"),
        ("list_sms", "logs", "list_sms"),
        ("send_sms", "sms", "send"),
    ],
)
def test_an_action_leaves_out_what_its_resource_says(name: str, resource: str, action: str) -> None:
    assert action_name(name, resource) == action


def test_a_resource_is_called_as_its_tag_without_what_stands_in_brackets() -> None:
    assert resource_name("Reports V2 (CX Analytics)") == "reports_v2"
    assert resource_name("Follow-up Tasks") == "follow_up_tasks"


def test_two_operations_of_one_name_are_refused_and_both_are_told() -> None:
    rest = document(**{"get_/things": operation(), "get_/reports/things": operation()})
    expected = "GET /contact_center/things and GET /contact_center/reports/things would both be"
    with pytest.raises(SchemaSourceError, match=expected):
        generated(rest)


def test_operations_of_a_resource_stand_together_and_keep_their_order() -> None:
    rest = document(
        **{
            "get_/b": operation(tag="Second"),
            "get_/c": operation(tag="First"),
            "get_/a": operation(tag="Second"),
        }
    )
    master = document(**{"get_/d": operation(tag="First")})
    names = [name for name in generated(rest, master) if not name.startswith("schemas/")]
    assert names == ["get_c", "get_d", "get_b", "get_a"]


def test_a_resource_without_bodies_has_a_file_that_says_so() -> None:
    files = generated(document(**{"delete_/things/{thingId}": thing_deleted()}))
    assert files["schemas/things.json"] == {}


def thing_deleted() -> Document:
    return operation(status="204", parameters=(in_path("thingId"),))


def test_parameters_in_the_path_come_first_in_its_order_and_in_snake_case() -> None:
    taken = (query("a"), in_path("thingId"), in_path("ownerId"))
    found = only(
        document(**{"get_/owners/{ownerId}/things/{thingId}": operation(parameters=taken)})
    )
    assert found.path == "/contact_center/owners/{owner_id}/things/{thing_id}"
    assert [each.name for each in found.parameters] == ["owner_id", "thing_id", "a"]
    assert [each.required for each in found.parameters] == [True, True, False]


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
    found = {
        each.path.removeprefix("/contact_center"): {p.name: p.reserved for p in each.parameters}
        for name, each in generated(rest).items()
        if not name.startswith("schemas/")
    }
    assert found == {
        "/things/{thing_id}": {"thing_id": ("spare",)},
        "/things/{thing_id}/parts": {"thing_id": ("spare",)},
        "/things/{thing_id}/parts/{part_id}": {"thing_id": (), "part_id": ("newest",)},
        "/things/{thing_id}/parts/newest": {"thing_id": ()},
        "/things/spare": {},
        "/things/spare/{part_id}": {"part_id": ()},
        "/{thing_id}/state/now": {"thing_id": ()},
    }


@pytest.mark.parametrize(
    ("told", "expected"),
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
def test_a_parameter_is_read_as_it_is_meant(told: Document, expected: Parameter) -> None:
    assert parameter(told) == expected


@pytest.mark.parametrize(
    ("start", "refused", "expected"),
    [
        (
            "`yyyy-MM-dd`, a month: it only includes one month's worth. Or the past 24 hours.",
            "",
            Window(
                start="from",
                end="to",
                forms=("date",),
                default_hours=24,
                longest_days=28,
                beyond="truncated",
            ),
        ),
        (
            f"A range of one month, {FORMS} or `±HH:mm`, or the last 24 hours. 'Z' is a literal.",
            "It exceeds the 1-month limit. Only provide report in recent 6 months.",
            Window(
                start="from",
                end="to",
                forms=("z", "offset"),
                z_is_literal=True,
                default_hours=24,
                longest_days=28,
                beyond="refused",
                lookback_days=180,
            ),
        ),
        (
            f"{FORMS}. It needs to be less than 6 months. Data from the past 30 days.",
            "",
            Window(start="from", end="to", forms=("z",), default_hours=720, longest_days=180),
        ),
        (
            f"{FORMS}. If not provided a 7 day time range is returned.",
            "Time range cannot exceed 45 days.",
            Window(
                start="from",
                end="to",
                forms=("z",),
                default_hours=168,
                longest_days=45,
                beyond="refused",
            ),
        ),
        (FORMS, "", Window(start="from", end="to", forms=("z",))),
    ],
)
def test_the_rules_of_a_window_are_read_out_of_the_prose(
    start: str, refused: str, expected: Window
) -> None:
    assert window(start, refused=refused) == expected


def test_an_example_or_a_mask_tells_how_times_are_written_where_no_prose_does() -> None:
    assert window("prose", example="2026-01-31T09:30:00Z").forms == ("z",)
    assert window("prose", pattern="YYYY-MM-DDTHH:MM:SSZ").forms == ("z",)


def test_each_pair_of_times_is_a_window_and_no_other_pair_of_names_is() -> None:
    names = ("start_time_from", "start_time_to", "from", "to", "ani_from", "dnis_to", "fromage")
    taken = tuple(query(name, FORMS, deprecated=name in {"from", "to"}) for name in names)
    found = only(document(**{"get_/things": operation(parameters=taken)})).windows
    assert [(each.start, each.end, each.deprecated) for each in found] == [
        ("start_time_from", "start_time_to", False),
        ("from", "to", True),
    ]


def test_a_list_pages_by_a_token_and_names_its_array() -> None:
    size = query("page_size", type="integer", default=30, maximum=300)
    replied = listing(
        page_size={"type": "integer", "maximum": 100},
        total_records={"type": "integer"},
        has_more={"type": "boolean"},
    )
    taken = (query("next_page_token"), size)
    found = only(document(**{"get_/things": operation(parameters=taken, reply=replied)}))
    assert (found.name, found.reply.items) == ("list_things", "things")
    assert found.paging is not None
    assert (found.paging.style, found.paging.size_default, found.paging.size_max) == (
        "next_page_token",
        30,
        300,
    )
    assert (found.paging.reply_size_max, found.paging.total_records) == (100, True)
    assert found.paging.has_more


def test_a_size_that_is_typed_as_a_text_has_no_number() -> None:
    taken = (query("next_page_token"), query("page_size", default="30"))
    found = only(document(**{"get_/things": operation(parameters=taken, reply=listing())}))
    assert found.paging is not None
    assert found.paging.size_default is None


def test_a_token_that_no_request_takes_and_page_numbers_are_styles_of_their_own() -> None:
    token = only(document(**{"get_/things": operation(reply=listing())}))
    assert token.paging is not None
    assert token.paging.style == "reply_token_only"

    replied = {"type": "object", "properties": {"data": {"type": "array"}}}
    taken = (query("page", type="integer"), query("page_size", type="integer"))
    numbers = only(document(**{"get_/things": operation(parameters=taken, reply=replied)}))
    assert numbers.paging is not None
    assert numbers.paging.style == "page_number"


def test_a_single_thing_does_not_page_and_its_inner_arrays_make_it_no_list() -> None:
    replied = {"type": "object", "properties": {"parts": {"type": "array"}}}
    found = operation(parameters=(in_path("thingId"),), reply=replied)
    one = only(document(**{"get_/things/{thingId}": found}))
    assert (one.paging, one.reply.items) == (None, None)


def test_codes_stand_by_their_status_each_once_and_a_status_without_codes_has_none() -> None:
    code = "**Error Code:**"
    told = f"{code} `300` <br> prose {code} `300 ` <br> {code}`124` <br> {code} `` prose"
    found = only(document(**{"get_/a": operation(failures={"400": told, "429": "Too many."})}))
    assert found.errors == {400: (300, 124), 429: ()}


def test_a_body_is_required_where_the_document_or_its_schema_says_so() -> None:
    schema: Document = {"type": "object", "properties": {"a": {"type": "string"}}}
    lax = operation(body=schema)
    strict = operation(body=schema | {"required": ["a"]})
    told = operation(body=schema)
    told["requestBody"]["required"] = True
    found = generated(document(**{"post_/a": lax, "post_/b": strict, "post_/c": told}))
    bodies = {name: each.body for name, each in found.items() if not name.startswith("schemas/")}
    assert {name: body.required for name, body in bodies.items()} == {
        "create_a": False,
        "create_b": True,
        "create_c": True,
    }


def test_a_reply_without_a_body_has_no_content_type() -> None:
    found = only(document(**{"delete_/things/{thingId}": thing_deleted()}))
    assert (found.reply.status, found.reply.content_type) == (204, None)


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ({"type": "string", "description": "prose", "example": "x"}, {"type": "string"}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "format": "datetime"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "string"}, {"type": "string"}),
        ({"type": "string", "pattern": "YYYY-MM-DD"}, {"type": "string"}),
        ({"type": "string", "pattern": "[a-z]"}, {"type": "string", "pattern": "[a-z]"}),
        ({"type": "string", "default": "Good bye."}, {"type": "string"}),
        ({"type": "string", "enum": ["a", "What went wrong is this."]}, {"type": "string"}),
        ({"type": "string", "default": "hours"}, {"type": "string", "default": "hours"}),
        ({"type": "boolean", "default": True}, {"type": "boolean", "default": True}),
        (
            {"type": "string", "minimum": 1, "maxLength": 9, "deprecated": True},
            {"type": "string", "maxLength": 9, "deprecated": True},
        ),
        (
            {"type": "integer", "minimum": 1, "maxLength": 9, "readOnly": True},
            {"type": "integer", "minimum": 1, "readOnly": True},
        ),
        (
            {
                "type": "array",
                "items": {"type": "string"},
                "maxItems": 9,
                "additionalProperties": True,
            },
            {"type": "array", "maxItems": 9, "items": {"type": "string"}},
        ),
        ({"type": "array"}, {"type": "array"}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"oneOf": [{"title": "t", "type": "string"}, {"type": "integer"}]},
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        ),
    ],
)
def test_a_schema_is_carried_over_without_prose_and_repaired(
    published: Document, ours: Document
) -> None:
    assert schema_of(published, "body") == ours
    assert schema_of(published, "reply") == ours


def test_listed_values_close_a_body_and_leave_a_reply_open() -> None:
    published = {"type": "string", "enum": ["a", "b"]}
    assert schema_of(published, "body") == published
    assert schema_of(published, "reply") == {"type": "string", "x-known-values": ["a", "b"]}


def mended(found: Document, **changes: Any) -> Document:
    return found | changes


@pytest.mark.parametrize(
    ("path", "found", "expected"),
    [
        ("get_/a", mended(operation(), description="no label"), "/description: expected a label"),
        ("get_/a", operation(label="FEATHER"), "/description: expected a label: LIGHT, MEDIUM"),
        ("head_/a", operation(), "/head: no method of an operation: 'head'"),
        (
            "get_/{b}",
            operation(parameters=(in_path("b"),)),
            "~1{b}/get: nothing names it: name it in zoom/generation/names.py",
        ),
        ("get_/a/{b}", operation(), "the path and 'parameters' name different ones"),
        ("get_/a", mended(operation(), responses={}), "/responses: expected one status"),
        (
            "get_/a",
            mended(operation(), responses={"200": {}, "201": {}}),
            "/responses: expected one status that means success",
        ),
        (
            "get_/a",
            mended(operation(), responses={"200": {"content": {"text/html": {}}}}),
            "/responses/200/content: expected application/json alone",
        ),
        (
            "post_/a",
            mended(operation(), requestBody={"content": {"text/xml": {}}}),
            "/requestBody/content: expected one of application/json, multipart/form-data",
        ),
        (
            "post_/a",
            mended(operation(), requestBody={"content": {}}),
            "/requestBody/content: expected one of application/json, multipart/form-data",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", type="object"),)),
            "/parameters/0/schema/type: no type of a parameter: 'object'",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", style="form"),)),
            "/parameters/0/schema: cannot carry over 'style'",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", type="array", items={"type": "integer"}),)),
            "/schema/items: expected an array of strings",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", maximum="9"),)),
            "/schema/maximum: expected a whole number",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", maximum=True),)),
            "/schema/maximum: expected a whole number",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", deprecated="yes"),)),
            "/schema/deprecated: expected true or false",
        ),
        (
            "get_/a",
            operation(parameters=(query("from"), query("to"))),
            "/parameters/0: expected a text that says how its times are written",
        ),
        (
            "get_/a",
            operation(parameters=(query("next_page_token"),), reply=listing(b={"type": "array"})),
            "/schema: expected one array: the operation is a list",
        ),
        (
            "get_/a",
            operation(parameters=(query("next_page_token"),), reply={"type": "object"}),
            "/schema: expected one array: the operation is a list",
        ),
        ("get_/a", operation(reply={"allOf": []}), "/schema: cannot carry over 'allOf'"),
        ("get_/a", operation(reply={"type": "text"}), "/type: no type of JSON Schema: 'text'"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_with_its_place(
    path: str, found: Document, expected: str
) -> None:
    with pytest.raises(SchemaSourceError) as refusal:
        generated(document(**{path: found}))
    assert expected in str(refusal.value)


def test_what_is_written_is_read_back_unchanged() -> None:
    taken = (in_path("thingId"), query("from", FORMS), query("to"), query("a", type="boolean"))
    found = only(
        document(**{"get_/things/{thingId}": operation(parameters=taken, reply=listing())})
    )
    adapter = TypeAdapter(Operation)
    assert adapter.validate_json(adapter.dump_json(found, exclude_defaults=True)) == found
