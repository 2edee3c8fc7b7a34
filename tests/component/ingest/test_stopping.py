"""How a server ends: no request that came in is left without its answer."""

import asyncio
import socket

import psutil
import pytest

from ingest.listen_socket import bound_socket, listen
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from tests.support.ingest_server import (
    MemoryPublisher,
    event,
    ingest_settings,
    read_response,
    request,
    running,
    signed,
)
from tests.support.ingest_wire import HandClock, on_both_loops, post, read_all
from tests.support.patience import HANG_GUARD_S

unready_s = 120.0
drain_timeout_s = 8.0


class HeldClock(SystemClock):
    """The real clock, but a wait of minutes ends when the test says so."""

    def __init__(self) -> None:
        self.waited = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        await (self.waited.wait() if delay_s >= unready_s else super().sleep(delay_s))


async def test_stopping_takes_readiness_away_while_all_is_still_answered() -> None:
    clock = HeldClock()
    async with running(MemoryPublisher(), clock=clock, unready_s=unready_s) as server:
        server.stopping.set()
        assert (await server.get("/readyz")).status == 503
        assert (await server.get("/healthz")).status == 200
        assert (await server.post()).status == 204
        clock.waited.set()


async def test_a_stopped_server_takes_no_connections_and_lets_requests_finish() -> None:
    acknowledged = asyncio.Event()
    publisher = MemoryPublisher(acknowledged.wait)
    async with (
        running(publisher, produce_deadline_s=2.9) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(request(event, headers=signed(event)))
        await publisher.sent.wait()
        server.stopping.set()
        await until_it_takes_no_connections(server.port)
        acknowledged.set()
        assert (await read_response(reader)).status == 204
    assert [record.value for record in publisher.records] == [event]


@on_both_loops
async def test_idle_connections_end_at_once_and_unfinished_requests_when_their_time_is_over() -> (
    None
):
    clock = HandClock()
    async with (
        running(MemoryPublisher(), clock=clock) as server,
        server.connection() as (idle, idle_writer),
        server.connection() as (unfinished, unfinished_writer),
    ):
        idle_writer.write(post())
        unfinished_writer.write(post()[:-5])
        assert (await read_response(idle)).status == 204
        server.stopping.set()
        assert await idle.read() == b""
        assert not unfinished.at_eof()
        await clock.move(drain_timeout_s + 0.1)
        assert len(await read_all(unfinished)) <= 1


async def test_cancelling_drains_too() -> None:
    acknowledged = asyncio.Event()
    publisher = MemoryPublisher(acknowledged.wait)

    async def serve() -> None:
        async with running(publisher) as server, server.connection() as (_, writer):
            writer.write(request(event, headers=signed(event)))
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(serve())
        await publisher.sent.wait()
        task.cancel()
        acknowledged.set()
    assert [record.value for record in publisher.records] == [event]


def test_an_address_that_is_taken_is_reported_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ingest_settings(port=taken.getsockname()[1])
        with (
            pytest.raises(ConfigurationError, match="ZCC_INGEST_PORT: cannot listen"),
            bound_socket(settings),
        ):
            pass


def test_of_two_that_have_bound_one_address_the_second_to_listen_fails() -> None:
    with bound_socket(ingest_settings()) as first:
        settings = ingest_settings(port=first.getsockname()[1])
        with bound_socket(settings) as second:
            listen(first, settings)
            with pytest.raises(ConfigurationError, match="ZCC_INGEST_PORT: cannot listen"):
                listen(second, settings)


async def until_it_takes_no_connections(port: int) -> None:
    """Look at the kernel's list: a connection that meets the end is dropped by asyncio's server."""
    async with asyncio.timeout(HANG_GUARD_S):
        while any(
            each.status == psutil.CONN_LISTEN and each.laddr.port == port
            for each in psutil.Process().net_connections("tcp")
        ):
            await asyncio.sleep(0.01)
