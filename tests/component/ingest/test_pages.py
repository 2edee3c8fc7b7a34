"""The pages in addition to the webhook, and what the server logs of requests: next to nothing."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import structlog
from jsonschema import Draft202012Validator

from runtime.errors import TransientError
from tests.support.ingest_server import (
    Headers,
    MemoryPublisher,
    Server,
    chunked,
    event,
    request,
    running,
    signed,
)
from tests.support.ingest_wire import read_all, served


async def document_of(server: Server) -> dict[str, Any]:
    answer = await server.get("/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    parsed: dict[str, Any] = orjson.loads(answer.body)
    return parsed


async def test_the_document_names_all_that_is_answered_and_nothing_else() -> None:
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        paths = (await document_of(server))["paths"]
        assert set(paths) == {"/webhooks/zoom", "/webhooks/zoom/{app}"}
        for path in paths:
            address = path.replace("{app}", "sales")
            (method,) = paths[path]
            answer = await (server.get(address) if method == "get" else server.post(path=address))
            assert str(answer.status) in paths[path][method]["responses"]
            assert (await server.get(f"{address}/more/of-it")).status == 404


async def test_the_document_is_the_same_each_time() -> None:
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        assert await document_of(server) == await document_of(server)


async def test_bodies_are_such_as_the_document_says() -> None:
    challenge = b'{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"t"}}'
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        operation = (await document_of(server))["paths"]["/webhooks/zoom"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for body in (event, challenge):
            Draft202012Validator(schema).validate(orjson.loads(body))
        answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
        answer = await server.post(challenge)
        Draft202012Validator(answered).validate(orjson.loads(answer.body))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/docs", 200), ("/docs/", 404), ("/redoc", 404), ("/docs/oauth2-redirect", 200)),
        *(("/healthz/", 404), ("/readyz?x=y", 200), ("/metrics/", 404), ("/HEALTHZ", 404)),
    ],
)
async def test_pages_are_where_they_are_and_nowhere_else_and_no_page_redirects(
    path: str, status: int
) -> None:
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        answer = await server.get(path)
        assert answer.status == status
        assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/metrics?x=y"])
async def test_health_and_metrics_are_not_where_webhooks_come(path: str) -> None:
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        raw = f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode()
        assert (await server.send(raw)).status == 404
        assert (await server.get(path)).status == 200


async def test_docs_that_are_not_enabled_are_not_there() -> None:
    async with served(MemoryPublisher()) as server:
        for path in ("/docs", "/openapi.json", "/redoc", "/docs/oauth2-redirect"):
            assert (await server.get(path)).status == 404


marks = {
    "body": "mark-of-the-body",
    "value": "mark-of-a-value",
    "name": "x-mark-of-a-name",
    "query": "mark-of-the-query",
    "path": "mark-of-the-path",
    "token": "mark-of-the-token",
    "error": "mark-of-the-error",
}
body = event.replace(b"e1", marks["body"].encode())
more: Headers = [
    (marks["name"], marks["value"].encode()),
    *(("authorization", marks["value"].encode()), ("cookie", marks["value"].encode())),
]
challenge_body = orjson.dumps(
    {"event": "endpoint.url_validation", "payload": {"plainToken": marks["token"]}}
)
deep = b'{"a":' * 2000 + marks["body"].encode()


def sent() -> Mapping[str, bytes]:
    """Return requests of every fate, full of marks."""
    query = f"?{marks['query']}"
    good = signed(body, more=more)

    def post(headers: Headers, *, path: str = "/webhooks/zoom", body: bytes = body) -> bytes:
        return request(body, path=path + query, headers=headers)

    return {
        "kept": post(good),
        "unsigned": post(more),
        "forged": post(signed(body, secret="wrong", more=more)),
        "quarantined": post(signed(deep, more=more), body=deep),
        "encoded": post(signed(body, more=[*more, ("content-encoding", b"gzip")])),
        "challenge": post(signed(challenge_body, more=more), body=challenge_body),
        "an unknown app": post(good, path=f"/webhooks/zoom/{marks['path']}"),
        "an unknown page": post(good, path=f"/{marks['path']}"),
        "too large": request(body, headers=good, length=10_000_000),
        "too many headers": post([*good, *more * 40]),
        "malformed": post([*good, (f"bad {marks['name']}", b"1")]),
        "in bad chunks": chunked([body], headers=good).replace(b"0\r\n\r\n", b"zz\r\n\r\n"),
        "unfinished": post(good)[:-1],
        "no host": post(good).replace(b"host: test\r\n", b""),
        "an upgrade": post([*good, ("connection", b"upgrade"), ("upgrade", b"h2c")]),
    }


async def fail() -> None:
    raise ValueError(f"{marks['error']} {body!r}")


async def refuse() -> None:
    raise TransientError(f"{marks['error']} {body!r}")


class FailingPublisher(MemoryPublisher):
    """Fails in every way it can, each with what it was given."""

    def __init__(self, *, broken: str) -> None:
        super().__init__({"later": fail, "refusing": refuse}.get(broken))
        self._broken = broken

    def send(self, record: Any, settled: Any) -> None:
        if self._broken == "at once":
            raise ValueError(f"{marks['error']} {record.value!r}")
        super().send(record, settled)


@pytest.mark.parametrize("broken", ["nothing", "later", "refusing", "at once"])
async def test_no_body_header_or_token_is_logged_whatever_becomes_of_a_request(
    broken: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    publisher = FailingPublisher(broken=broken)
    with structlog.testing.capture_logs() as logs, caplog.at_level(logging.DEBUG):
        async with running(publisher, max_requests=50) as server:
            for raw in sent().values():
                async with server.connection() as (reader, writer):
                    writer.write(raw)
                    writer.write_eof()
                    await read_all(reader)
    output = "\n".join([*map(str, logs), caplog.text, *capfd.readouterr()])
    for mark in marks.values():
        assert mark not in output
    assert "the-newest-secret" not in output
    errors = [line for line in logs if line["log_level"] == "error"]
    assert bool(errors) == (broken in {"later", "at once"})
    assert len(logs) == len(errors) + len({"listening", "stopping", "stopped"})  # no access log
