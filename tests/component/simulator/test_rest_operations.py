"""Every operation of the catalogue is answered, as its schema and as the vendor's document say."""

import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp import FormData
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from openapi_schema_validator import OAS30Validator

from simulator.company import make_company
from simulator.rest.schema import fits
from simulator.rest.values import invent
from simulator.rest.words import Scene
from tests.support.each_case import each_case
from tests.support.simulator_api import (
    Api,
    Reply,
    StoppedClock,
    api_of_company,
    inventing_api,
)
from zoom.catalogue import Operation, body_schema, operations, reply_schema

SHARED = Path(__file__).parents[4] / "shared" / "zoom"
ODD_ID = "a/b+c=="

TEXT_OF = {"string": "x", "integer": "1", "array": "x"}
OPEN_IN_FACT = {
    "create_system_status": "a custom status has another name than those listed",
    "send_sms": "the listed values are the vendor's sentences about what went wrong",
}

CAMPAIGN = {
    "dialing_method": "agentless",
    "dialing_method_settings": {"max_concurrent_calls": 5, "new_flow_id": "f"},
    "outbound_campaign_name": "Spring",
    "phone_number_id": "p",
    "queue_id": "q",
}
"""Its schema lists forms of which exactly one must fit, but none of them excludes another."""

NAMES = sorted(operations())


@pytest.fixture(scope="module")
async def api() -> AsyncIterator[Api]:
    async with inventing_api(StoppedClock()) as running:
        yield running


def path_of(operation: Operation, value: str = ODD_ID) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            text = str(parameter.values[0]) if parameter.values else value
            path = path.replace(f"{{{parameter.name}}}", quote(quote(text, safe=""), safe=""))
    return f"/v2{path}"


def required_query(operation: Operation) -> dict[str, str]:
    return {
        parameter.name: str(parameter.values[0]) if parameter.values else TEXT_OF[parameter.type]
        for parameter in operation.parameters
        if parameter.location == "query" and parameter.required
    }


def body_of(operation: Operation) -> dict[str, Any]:
    """Make up a body as aiohttp sends it, which the operation's schema takes."""
    schema = body_schema(operation)
    if operation.body is None or schema is None:
        return {}
    if operation.name == "create_campaign":
        return {"json": CAMPAIGN}
    scene = Scene("http://127.0.0.1", StoppedClock().now())
    made = (invent("body", schema, scene, Random(seed)) for seed in range(50))
    document = next(body for body in made if fits(body, schema))
    Draft202012Validator(schema).validate(document)
    if operation.body.content_type == "application/json":
        return {"json": document}
    assert isinstance(document, dict)
    form = FormData(default_to_multipart=True)
    for name, value in document.items():
        form.add_field(name, str(value))
    return {"data": form}


async def ask(api: Api, operation: Operation) -> Reply:
    query = required_query(operation)
    return await api.send(operation.method, path_of(operation), query=query, **body_of(operation))


@each_case("name", NAMES)
async def test_an_operation_is_answered_as_its_schema_says(api: Api, name: str) -> None:
    operation = operations()[name]
    reply = await ask(api, operation)
    assert reply.status == operation.reply.status, reply.content
    schema = reply_schema(operation)
    if schema is None:
        assert reply.content == b""
        return
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    errors = validator.iter_errors(reply.document)
    assert [error.message for error in errors if error.validator != "oneOf"] == []
    if operation.reply.items is not None:
        assert reply.items(operation.reply.items)


@each_case("name", NAMES)
async def test_an_operation_is_answered_as_the_vendors_document_says(api: Api, name: str) -> None:
    operation = operations()[name]
    schema = vendors_schema(operation)
    if schema is None:
        assert operation.reply.content_type is None
        return
    reply = await ask(api, operation)
    errors = OAS30Validator(schema).iter_errors(reply.document)
    assert [error.message for error in errors if not is_vendors_mistake(error, name)] == []


def is_vendors_mistake(error: ValidationError, name: str) -> bool:
    """Some rules are met by nothing, or by nothing that the vendor would send."""
    schema: Any = error.schema
    match error.validator:
        case "enum":
            on_an_array = schema.get("type") == "array"
            without_null = schema.get("nullable") and error.instance is None
            return on_an_array or without_null or name in OPEN_IN_FACT
        case "pattern":
            return bool(schema["pattern"] == "YYYY-MM-DDTHH:MM:SSZ")
        case "required":
            return not set(schema["required"]) <= schema["properties"].keys()
        case other:
            return other == "oneOf"


@cache
def vendors_paths() -> dict[tuple[str, str], Any]:
    operations_by_path = {}
    for name in ("rest", "master"):
        file = SHARED / f"{name}.openapi.json"
        if not file.is_file():
            pytest.skip(f"NOT CHECKED: answers by the vendor's document: there is no {file.name}")
        for path, methods in orjson.loads(file.read_bytes())["paths"].items():
            for method, operation in methods.items():
                operations_by_path[method.upper(), re.sub(r"{\w+}", "{}", path)] = operation
    return operations_by_path


def vendors_schema(operation: Operation) -> Any:
    described = vendors_paths()[operation.method, re.sub(r"{\w+}", "{}", operation.path)]
    content = described["responses"][str(operation.reply.status)].get("content", {})
    return content.get("application/json", {}).get("schema")


async def test_no_operation_of_a_company_fails_by_itself() -> None:
    limits = {f"rest_{label}_per_s": 1000 for label in ("light", "medium", "heavy")}
    async with api_of_company(make_company(1), StoppedClock(), **limits) as company:
        for operation in operations().values():
            reply = await ask(company, operation)
            statuses = {operation.reply.status, 404, *operation.errors} - {401, 403, 429, 500}
            assert reply.status in statuses, (operation.name, reply)


async def test_the_same_question_has_the_same_answer_of_its_seed(api: Api) -> None:
    path = "/skills/5HAMbR9mQA6lVRqZVz1DYw"
    first = await api.get(path)
    async with inventing_api(StoppedClock()) as again:
        assert (await again.get(path)).document == first.document
    async with inventing_api(StoppedClock(), seed=2) as other:
        assert (await other.get(path)).document != first.document


async def test_an_item_of_a_list_is_found_by_its_id_and_says_the_same(api: Api) -> None:
    for item in (await api.get("/skills", page_size="5")).items("skills"):
        skill = await api.get(f"/skills/{item['skill_id']}")
        shared = item.keys() & skill.body.keys() - {"modified_by", "last_modified_time"}
        assert {"skill_id", "skill_name"} <= shared
        assert {name: item[name] for name in shared} == {name: skill.body[name] for name in shared}


async def test_a_list_whose_token_cannot_be_sent_says_that_there_is_more(api: Api) -> None:
    page = await api.get("/inboxes/i/queues")
    again = await api.get("/inboxes/i/queues", next_page_token=str(page.body["next_page_token"]))
    assert page.body["next_page_token"]
    assert again.items("queues") == page.items("queues")


async def test_what_is_created_is_answered_in_the_words_of_the_request(api: Api) -> None:
    body = {"variable_group_name": "Ours", "variable_group_description": "of the tests"}
    reply = await api.send("POST", "/v2/contact_center/variables/groups", json=body)
    assert reply.status == 201
    assert reply.body["variable_group_name"] == "Ours"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/contact_center/unheard_of", 404),
        ("GET", "/v2/contact_center/users/", 404),
        ("GET", "/v2/contact_center/users/u/commands/x", 404),
        ("DELETE", "/v2/contact_center/engagements/e", 405),
        ("GET", "/v2/contact_center/users/batch", 405),
        ("GET", "/v2/contact_center/users/a%2Fb", 404),
    ],
)
async def test_what_is_no_operation_is_refused(
    api: Api, method: str, path: str, status: int
) -> None:
    reply = await api.send(method, path)
    assert (reply.status, reply.code) == (status, status)


async def test_usage_counts_calls_by_label_and_second(api: Api) -> None:
    clock = StoppedClock()
    async with inventing_api(clock, rest_light_per_s=2) as fresh:
        for _ in range(3):
            await fresh.get("/skills/s")
        clock.s += 1
        await fresh.get("/skills/s")
        await fresh.get("/skills")
        usage = (await fresh.send("GET", "/control/usage")).document
    second = int(clock.s)
    assert usage["seconds"] == {
        "LIGHT": {str(second - 1): 3, str(second): 1},
        "MEDIUM": {str(second): 1},
        "HEAVY": {},
    }
    assert usage["refused"] == {"LIGHT": 1}
    assert usage["day"] == {"LIGHT": 4, "MEDIUM": 1}
    assert usage["operations"] == {"get_skill": 4, "list_skills": 1}
