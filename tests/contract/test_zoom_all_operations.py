"""All operations, by method and by name, against the simulator and by the vendor's documents.

An independent library checks each request as it arrives. The vendor's files are in ``shared/zoom``
next to the project, where they are available at all; a test that needs one and does not have it
says what it did not check.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from random import Random
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson
import pytest
from jsonschema import ValidationError
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from werkzeug.datastructures import Headers, ImmutableMultiDict

from simulator.rest.answers import Answer
from simulator.rest.app import rest_app
from simulator.rest.server import serving
from tests.support.each_case import each_case
from tests.support.fakes.zoom import VirtualClock, zoom_settings
from tests.support.simulator_api import StoppedClock
from tests.support.simulator_receiver import simulator_settings
from tests.support.zoom_samples import all_arguments, body_of, required_arguments
from zoom.catalogue import Operation, operations, reply_schema
from zoom.client import ZoomClient, connected
from zoom.errors import ArgumentError
from zoom.limits import Label

SHARED = Path(__file__).parents[3] / "shared" / "zoom"

Way = Literal["method", "name"]

whole_styles = {"next_page_token", "page_number"}

every_operation = each_case(
    "operation", operations().values(), name=lambda operation: operation.name
)
every_whole_list = each_case(
    "operation",
    [each for each in operations().values() if each.paging and each.paging.style in whole_styles],
    name=lambda operation: operation.name,
)
both_ways = pytest.mark.parametrize("way", ["method", "name"])
bearer = {"authorization": "Bearer token"}


@dataclass(frozen=True)
class Sent:
    """A request as it arrived; a request of `openapi_core` too."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | None
    reply: bytes

    @property
    def host_url(self) -> str:
        return "https://api.zoom.us"

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @cached_property
    def parameters(self) -> RequestParameters:
        pairs = parse_qsl(self.query, keep_blank_values=True, strict_parsing=bool(self.query))
        return RequestParameters(query=ImmutableMultiDict(pairs), header=Headers(self.headers))


class Witness:
    """Stands before the simulator and keeps the last request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.last: Sent | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        reply: list[bytes] = []

        async def received() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        async def sent(message: Message) -> None:
            reply.append(message.get("body", b""))
            await send(message)

        await self._app(scope, received, sent)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path, query = scope["raw_path"].decode(), scope["query_string"].decode()
        body = b"".join(parts) or None
        method = scope["method"].lower()
        self.last = Sent(method, path, query, headers, body, b"".join(reply))


@dataclass(frozen=True)
class World:
    client: ZoomClient
    witness: Witness
    answers: dict[str, Answer]
    """What the simulator answers by operation, where it shall not make something up."""

    exchanged: dict[tuple[str, Way], tuple[Any, Sent]]
    """Replies and what was sent for them."""

    async def exchange(self, operation: Operation, way: Way) -> tuple[Any, Sent]:
        """Call once by the typed method with all it takes, or by name with what it must have."""
        if (operation.name, way) not in self.exchanged:
            body = body_of(operation, whole=way == "method")
            if way == "method":
                reply = await self.method(operation)(**all_arguments(operation), **body)
            else:
                arguments = required_arguments(operation)
                reply = await self.client.call(operation.name, **arguments, **body)
            self.exchanged[operation.name, way] = reply, self.sent(operation)
        return self.exchanged[operation.name, way]

    def method(self, operation: Operation, name: str | None = None) -> Any:
        return getattr(getattr(self.client, operation.resource), name or operation.action)

    def sent(self, operation: Operation) -> Sent:
        sent = self.witness.last
        assert sent is not None
        assert sent.method == operation.method.lower()
        return sent


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """One server, one client, no limit to speak of on either side."""
    most = {f"rest_{label}_per_s": 100_000 for label in ("light", "medium", "heavy")}
    settings = simulator_settings("http://127.0.0.1:9/", **most, rest_heavy_per_day=0)
    answers: dict[str, Answer] = {}
    app = rest_app(settings, answers, account_id="a", clock=StoppedClock(), rng=Random(1))
    witness = Witness(app)
    async with serving(witness, host="127.0.0.1", port=0) as url:
        zoom = zoom_settings(
            account_id="a",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            oauth_url=f"{url}/oauth/token",
            api_url=f"{url}/v2",
            calls_per_second=dict.fromkeys(Label, 100_000),
            calls_per_day=dict.fromkeys(Label, 100_000),
        )
        async with connected(zoom, clock=VirtualClock(), allow_writes=True) as client:
            yield World(client, witness, answers, {})


@cache
def vendors_documents() -> tuple[OpenAPI, OpenAPI]:
    """The account's API, and the master account's; neither passes as OpenAPI itself."""
    documents = []
    for name in ("rest.openapi.json", "master.openapi.json"):
        document = orjson.loads(vendor_file(name))
        schemes = document["components"]["securitySchemes"]
        # What OAuth 2 comes to on the wire; the library has no check of it.
        schemes["openapi_oauth"] = {"type": "http", "scheme": "bearer"}
        documents.append(OpenAPI.from_dict(document, config=Config(spec_validator_cls=None)))
    return documents[0], documents[1]


def vendor_file(name: str) -> bytes:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"NOT CHECKED: operations by the vendor's {name}: it is not in shared/zoom")
    return path.read_bytes()


@both_ways
@every_operation
async def test_an_operation_is_called_and_its_reply_parsed(
    world: World, operation: Operation, way: Way
) -> None:
    reply, sent = await world.exchange(operation, way)
    assert re.fullmatch(re.sub(r"{\w+}", "[^/]+", f"/v2{operation.path}"), sent.path)
    assert reply == (orjson.loads(sent.reply) if sent.reply else None)
    assert (reply is None) == (reply_schema(operation) is None)


@pytest.mark.filterwarnings("ignore:.* parameter is deprecated:DeprecationWarning")
@both_ways
@every_operation
async def test_a_request_is_valid_by_the_vendors_document(
    world: World, operation: Operation, way: Way
) -> None:
    document = vendors_documents()[operation.for_master]
    _, sent = await world.exchange(operation, way)
    assert list(wrongs(document, sent)) == []


def wrongs(document: OpenAPI, sent: Sent) -> Iterator[str]:
    """What the library finds wrong; what nothing that Zoom takes could meet is left out."""
    for error in document.iter_request_errors(sent):
        schema_errors = getattr(error.__cause__, "schema_errors", None)
        if schema_errors is None:
            yield repr(error)
        for each in schema_errors or ():
            if not is_vendors_mistake(each, is_form=sent.content_type.startswith("multipart/")):
                yield f"{error}: {each.message}"


def is_vendors_mistake(error: ValidationError, *, is_form: bool) -> bool:
    match error.validator:
        case "enum":  # of a list's items, on the list or on a text that is a list in fact
            texts = error.instance if isinstance(error.instance, list) else [error.instance]
            return all(
                value in error.validator_value for text in texts for value in text.split(",")
            )
        case "pattern":
            return bool(error.validator_value == "YYYY-MM-DDTHH:MM:SSZ")
        case "oneOf":  # of forms that do not exclude one another
            return "is valid under each of" in error.message
        case "type":  # which a form has not
            return is_form and error.instance == "true"
    return False


def test_the_vendors_document_would_tell_a_wrong_request() -> None:
    document = vendors_documents()[0]
    right = Sent(
        "get", "/v2/contact_center/address_books", "unit_id=u&page_size=10", bearer, None, b""
    )
    assert list(wrongs(document, right)) == []
    for changes in (
        {"query": "page_size=10"},
        {"query": "unit_id=u&page_size=301"},
        {"path": "/v2/contact_center/address_book"},
        {"headers": {}},
    ):
        assert list(wrongs(document, replace(right, **changes)))


@every_whole_list
async def test_the_iterator_of_a_list_yields_its_items(world: World, operation: Operation) -> None:
    walk = world.method(operation, f"{operation.action}_all")
    items = [each async for each in walk(**required_arguments(operation))]
    page = orjson.loads(world.sent(operation).reply)
    assert items
    assert items[-1] == page[operation.reply.items][-1]


async def test_examples_that_break_their_own_schema_are_taken_all_the_same(world: World) -> None:
    rows = orjson.loads(vendor_file("rest_example_violations.json"))
    kinds = Counter[str]()
    for row in rows:
        operation, kind, steps = place_of(row["where"])
        match kind:
            case "param":
                await require_sent(world, operation, steps[0], row["example"])
            case "body":
                await require_refused(world, operation, steps, row["example"])
            case _:
                await require_parsed(world, operation, document_with(steps, row["example"]))
        kinds[kind.rstrip("012")] += 1
    assert kinds == {"resp": 10, "param": 23, "body": 2}


def place_of(where: str) -> tuple[Operation, str, list[str]]:
    """``GET /things @resp200/properties/hue`` is an operation, ``resp200``, and the way down."""
    method, path, place = where.split(" ")
    template = re.sub(r"{\w+}", "{}", path)
    (operation,) = (
        each
        for each in operations().values()
        if (each.method, re.sub(r"{\w+}", "{}", each.path)) == (method, template)
    )
    kind, *steps = place.removeprefix("@").split("/")
    return operation, kind, steps


def document_with(steps: list[str], example: object) -> Any:
    match steps:
        case ["properties", name, *rest]:
            return {name: document_with(rest, example)}
        case ["items", *rest]:
            return [document_with(rest, example)]
    return example


async def require_parsed(world: World, operation: Operation, document: Any) -> None:
    world.answers[operation.name] = lambda _call: document
    arguments = required_arguments(operation) | body_of(operation, whole=False)
    assert await world.method(operation)(**arguments) == document
    del world.answers[operation.name]


async def require_sent(world: World, operation: Operation, name: str, example: Any) -> None:
    (parameter,) = (each for each in operation.parameters if each.name == name)
    text = ",".join(example) if isinstance(example, list) else example
    value = text.split(",") if parameter.type == "array" else text
    given = {"from_": value, "to": value} if name in {"from", "to"} else {parameter.argument: value}
    await world.client.call(operation.name, **required_arguments(operation) | given)
    assert dict(parse_qsl(world.sent(operation).query))[name] == text


async def require_refused(
    world: World, operation: Operation, steps: list[str], example: object
) -> None:
    """Zoom cannot mean both, and its schema is the fuller."""
    body = body_of(operation, whole=True)["body"] | document_with(steps, example)
    with pytest.raises(ArgumentError, match=re.escape(f"body.{steps[-1]}")):
        await world.client.call(operation.name, **required_arguments(operation), body=body)
