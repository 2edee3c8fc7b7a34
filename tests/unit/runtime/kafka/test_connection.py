"""Whose cancellation it is that comes out of the client library."""

import asyncio

import pytest

from runtime.errors import TransientError
from runtime.kafka.connection import answering


async def test_a_task_that_the_library_has_cancelled_is_a_failure_of_the_world() -> None:
    async def close() -> None:
        async with answering("close"):
            own = asyncio.ensure_future(asyncio.sleep(60))
            own.cancel()
            await own

    with pytest.raises(TransientError, match="close: the client has ended a task of its own"):
        await close()


async def test_who_is_cancelled_is_cancelled() -> None:
    waits = asyncio.Event()

    async def work() -> None:
        async with answering("close"):
            waits.set()
            await asyncio.sleep(60)

    working = asyncio.ensure_future(work())
    await waits.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
