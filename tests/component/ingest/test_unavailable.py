"""What a signed request gets while its record cannot be stored."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import structlog

from runtime.errors import RejectedError
from schemas.reasons import DeadLetterReason
from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    challenge,
    event,
    read_response,
    refuse_as_transient,
    request,
    running,
    signed,
)
from tests.support.patience import HANG_GUARD_S


async def refuse_as_too_large() -> None:
    raise RejectedError(DeadLetterReason.TOO_LARGE, "message too large")


async def break_down() -> None:
    raise KeyError("defect")


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (asyncio.Event().wait, "deadline"),
        (refuse_as_transient, "broker"),
        (refuse_as_too_large, "refused"),
        (break_down, "defect"),
    ],
)
async def test_what_was_not_acknowledged_is_answered_503_so_that_zoom_sends_it_again(
    fate: Callable[[], Awaitable[object]], reason: str
) -> None:
    async with running(MemoryPublisher(fate), produce_deadline_s=0.1) as server:
        before = await server.metric("zcc_ingest_unavailable_total", reason=reason)
        for body in (event, b"not json"):
            answer = await server.post(body)
            assert (answer.status, answer.body) == (503, b"")
            assert int(answer.headers["retry-after"]) > 0
        after = await server.metric("zcc_ingest_unavailable_total", reason=reason)
        assert after == before + 2
        assert (await server.get("/healthz")).status == 200


async def test_a_defect_is_logged_by_its_place_and_never_with_what_was_sent() -> None:
    async def break_down_over_the_body() -> None:
        raise ValueError(event.decode())

    with structlog.testing.capture_logs() as logs:
        async with running(MemoryPublisher(break_down_over_the_body)) as server:
            assert (await server.post()).status == 503
    (line,) = (line for line in logs if line["log_level"] == "error")
    assert line["error"].startswith("ValueError at ")
    assert "break_down_over_the_body" in line["error"]
    assert "engagement" not in str(line)


async def test_a_challenge_is_answered_while_the_broker_is_down() -> None:
    async with running(MemoryPublisher(refuse_as_transient)) as server:
        assert (await server.post(challenge)).status == 200


async def test_no_answer_is_given_before_the_broker_has_acknowledged() -> None:
    acknowledged = asyncio.Event()
    publisher = MemoryPublisher(acknowledged.wait)
    async with running(publisher) as server, server.connection() as (reader, writer):
        writer.write(request(event, headers=signed(event)))
        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(read_response(reader))
            await publisher.sent.wait()
            assert (await server.get("/healthz")).status == 200
            assert not answer.done()
            acknowledged.set()
        assert answer.result().status == 204


async def until_it_shows(server: Server, name: str, value: float) -> None:
    """Wait until a gauge that is set ten times a second has a value."""
    async with asyncio.timeout(HANG_GUARD_S):
        while await server.metric(name) != value:
            await asyncio.sleep(0.01)


async def test_readiness_follows_the_publisher_and_health_does_not() -> None:
    publisher = MemoryPublisher()
    async with running(publisher) as server:
        assert (await server.get("/readyz")).status == 200
        await until_it_shows(server, "zcc_ingest_ready", 1)
        publisher.ready = False
        assert (await server.get("/readyz")).status == 503
        await until_it_shows(server, "zcc_ingest_ready", 0)
        assert (await server.get("/healthz")).status == 200
