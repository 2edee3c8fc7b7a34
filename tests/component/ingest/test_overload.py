"""More than can be kept at once is answered 503 before anything else is, and costs no memory."""

import asyncio
import gc
import socket
import struct
from contextlib import AsyncExitStack

import pytest

from ingest.http.request_context import RequestContext
from tests.support.ingest_server import (
    event,
    numbered,
    read_response,
    running,
)
from tests.support.ingest_wire import (
    HandClock,
    HangingPublisher,
    a_moment,
    on_both_loops,
    post,
    read_all,
    refused,
    served,
    until,
)

mebibyte = 1024 * 1024
padded = event + b" " * (600 * 1024 - len(event))


def reset(writer: asyncio.StreamWriter) -> None:
    """Have the connection reset when it is closed, as when a process dies."""
    plain = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@on_both_loops
async def test_a_request_too_many_is_answered_503_while_those_before_it_still_wait() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_requests=2) as server,
        server.connection() as (first, first_writer),
        server.connection() as (second, second_writer),
        server.connection() as (third, third_writer),
    ):
        before = await refused(server, "overload")
        first_writer.write(post(numbered(1)))
        second_writer.write(post(numbered(2)))
        await publisher.until_sent(2)
        for _ in range(3):
            third_writer.write(post(numbered(3)))
            answer = await read_response(third)
            assert (answer.status, answer.body) == (503, b"")
            assert int(answer.headers["retry-after"]) > 0
            assert "connection" not in answer.headers
        assert await refused(server, "overload") == before + 3
        publisher.acknowledge_all()
        assert [(await read_response(each)).status for each in (first, second)] == [204, 204]
        third_writer.write(post(numbered(3)))  # on the same connection, whose bodies were dropped
        await publisher.until_sent(3)
        publisher.acknowledge_all()
        assert (await read_response(third)).status == 204
    assert [record.value for record, _ in publisher.sent] == [numbered(n) for n in (1, 2, 3)]


@on_both_loops
async def test_pages_are_answered_however_much_is_under_way() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_requests=1) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post())
        await publisher.until_sent(1)
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await server.get(path)).status == 200
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_what_is_not_for_us_is_refused_as_such_however_much_is_under_way() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_requests=1) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post())
        await publisher.until_sent(1)
        assert (await server.get("/webhooks/zoom")).status == 405
        assert (await server.post(path="/webhooks/zoom/nobody", headers=[])).status == 404
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_a_client_that_broke_off_leaves_its_place_to_another() -> None:
    publisher = HangingPublisher()
    async with served(publisher, max_requests=1) as server:
        for number in range(3):
            async with server.connection() as (_, writer):
                writer.write(post(numbered(number)))
                await publisher.until_sent(number + 1)
                reset(writer)
            await a_moment()
        async with server.connection() as (reader, writer):
            writer.write(post())
            await publisher.until_sent(4)
            publisher.acknowledge_all()
            assert (await read_response(reader)).status == 204


@on_both_loops
async def test_an_acknowledgement_for_a_client_that_breaks_off_at_that_moment_does_no_harm() -> (
    None
):
    # Writing to a connection that was lost is an error on uvloop, in the midst of its batch.
    publisher = HangingPublisher()
    async with served(publisher) as server, AsyncExitStack() as clients:
        for number in range(200):
            _, writer = await clients.enter_async_context(server.connection())
            writer.write(post(numbered(number)))
            reset(writer)
        await publisher.until_sent(200)
        await clients.aclose()
        for number, (_, settled) in enumerate(publisher.sent):
            settled(None)
            if number % 20 == 0:
                await asyncio.sleep(0)


@on_both_loops
async def test_a_request_that_was_given_up_leaves_its_place_to_another() -> None:
    clock, publisher = HandClock(), HangingPublisher()
    async with (
        served(publisher, clock=clock, max_requests=1) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post())
        await publisher.until_sent(1)
        await clock.move(2.1)
        assert (await read_response(reader)).status == 503
        writer.write(post())
        await publisher.until_sent(2)
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


def held_bytes() -> int:
    """Return how many bytes of bodies all requests hold that are there."""
    requests = [each for each in gc.get_objects() if isinstance(each, RequestContext)]
    return sum(len(chunk) for context in requests for chunk in context.chunks)


@on_both_loops
async def test_a_body_too_many_is_answered_503_and_dropped_and_its_connection_goes_on() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_held_bytes=mebibyte) as server,
        server.connection() as (first, first_writer),
        server.connection() as (second, second_writer),
    ):
        before = await refused(server, "overload")
        first_writer.write(post(padded))
        await publisher.until_sent(1)
        late = post(padded)
        second_writer.write(late[:-1])
        assert (await read_response(second)).status == 503  # before its last byte
        assert await refused(server, "overload") == before + 1
        await until(lambda: held_bytes() <= len(padded))
        publisher.acknowledge_all()
        assert (await read_response(first)).status == 204
        second_writer.write(late[-1:] + late)
        await publisher.until_sent(2)
        publisher.acknowledge_all()
        assert (await read_response(second)).status == 204
    assert [record.value for record, _ in publisher.sent] == [padded, padded]


@on_both_loops
async def test_bodies_that_stay_unfinished_are_counted_until_a_whole_one_needs_their_room() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_held_bytes=mebibyte) as server,
        server.connection() as (unfinished, unfinished_writer),
        server.connection() as (reader, writer),
    ):
        unfinished_writer.write(post(padded)[:-1])
        await until(lambda: held_bytes() == len(padded) - 1)
        writer.write(post(padded))
        await publisher.until_sent(1)
        assert [answer.status for answer in await read_all(unfinished)] == [503]
        assert held_bytes() == len(padded)
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_a_refused_body_that_does_not_come_to_its_end_is_cut() -> None:
    clock, publisher = HandClock(), HangingPublisher()
    async with (
        served(publisher, clock=clock, max_requests=1) as server,
        server.connection() as (first, first_writer),
        server.connection() as (reader, writer),
    ):
        first_writer.write(post())
        await publisher.until_sent(1)
        writer.write(post()[:-1])
        assert (await read_response(reader)).status == 503
        publisher.acknowledge_all()
        assert (await read_response(first)).status == 204
        await clock.move(5.1)
        await clock.move(1.1)
        assert await reader.read() == b""


@on_both_loops
async def test_a_refused_body_that_is_too_large_costs_no_more_than_its_connection() -> None:
    clock, publisher = HandClock(), HangingPublisher()
    async with (
        served(publisher, clock=clock, max_requests=1) as server,
        server.connection() as (first, first_writer),
        server.connection() as (reader, writer),
    ):
        first_writer.write(post())
        await publisher.until_sent(1)
        too_large = b" " * (mebibyte + 1)
        writer.write(post(too_large))
        assert (await read_response(reader)).status == 503
        await a_moment()
        await clock.move(1.1)
        assert await reader.read() == b""
        publisher.acknowledge_all()
        assert (await read_response(first)).status == 204


@pytest.mark.parametrize("limit", [{"max_requests": 3}, {"max_held_bytes": mebibyte}])
async def test_under_an_overload_nothing_signed_is_answered_but_204_and_503(
    limit: dict[str, int],
) -> None:
    publisher = HangingPublisher()
    bodies = [numbered(n) + b" " * 100_000 for n in range(200)]

    async def acknowledge_some() -> None:
        while True:
            for _, settled in publisher.sent[::2]:
                settled(None)
            await asyncio.sleep(0.01)

    async with running(publisher, produce_deadline_s=0.2, **limit) as server:
        async with asyncio.TaskGroup() as tasks:
            acknowledging = tasks.create_task(acknowledge_some())
            answers = await asyncio.gather(*(server.post(body) for body in bodies))
            acknowledging.cancel()
        assert {answer.status for answer in answers} == {204, 503}
        kept = {body for body, answer in zip(bodies, answers, strict=True) if answer.status == 204}
        assert kept <= {record.value for record, _ in publisher.sent}
