"""How a server ends: no request that came in is left without its answer."""

import asyncio
import socket

import pytest

from ingest.server import listen
from runtime.errors import ConfigurationError
from tests.component.ingest_server import (
    MemoryPublisher,
    event,
    ingest_settings,
    read_answer,
    request,
    running,
    signed,
)


async def test_stopping_takes_readiness_away_and_lets_requests_finish() -> None:
    acknowledged = asyncio.Event()
    publisher = MemoryPublisher(acknowledged.wait)
    async with (
        running(publisher, unready_s=0.5) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(request(event, headers=signed(event)))
        server.stopping.set()
        assert (await server.get("/readyz")).status == 503
        assert (await server.get("/healthz")).status == 200
        async with asyncio.timeout(5):
            while await accepts_connections(server.port):
                pass
        acknowledged.set()
        assert (await read_answer(reader)).status == 204
    assert [record.value for record in publisher.records] == [event]


async def test_a_request_after_the_signal_is_still_answered() -> None:
    async with running(MemoryPublisher(), unready_s=0.5) as server:
        server.stopping.set()
        assert (await server.post()).status == 204


async def test_cancelling_drains_too() -> None:
    acknowledged = asyncio.Event()
    publisher = MemoryPublisher(acknowledged.wait)
    began = asyncio.Event()

    async def serve() -> None:
        async with running(publisher) as server, server.connection() as (_, writer):
            writer.write(request(event, headers=signed(event)))
            await server.get("/healthz")
            began.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(serve())
        await began.wait()
        task.cancel()
        acknowledged.set()
    assert [record.value for record in publisher.records] == [event]


def test_an_address_that_is_taken_is_told_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ingest_settings(port=taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match="ZCC_INGEST_PORT: cannot listen"):
            listen(settings)


async def accepts_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
