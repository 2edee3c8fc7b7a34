"""A store of a running `zcc up` can be stopped and started without ending everything."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from devstack import DevstackOptions, Stack, running
from operations.local.rehearsal import accepting, rehearse
from operations.local.rehearsed_actions import RehearsedAction
from runtime.errors import ConfigurationError, TransientError
from tests.support.patience import HANG_GUARD_S

STOP, KILL, START = RehearsedAction.STOP, RehearsedAction.KILL, RehearsedAction.START


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running(DevstackOptions(parts=frozenset({"postgres"}))) as started:
        yield started


async def answers(stack: Stack) -> bool:
    try:
        connection = await psycopg.AsyncConnection.connect(
            stack.postgres_dsn, connect_timeout=int(HANG_GUARD_S)
        )
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True


@pytest.mark.parametrize("end", [STOP, KILL])
async def test_a_store_that_was_ended_is_no_crash_and_comes_back(
    stack: Stack, end: RehearsedAction
) -> None:
    async with accepting(stack) as socket:
        await rehearse(end, "postgres", socket=str(socket))
        assert not await answers(stack)
        stack.check()  # raises where the end was not requested
        await rehearse(START, "postgres", socket=str(socket))
        assert await answers(stack)


async def test_what_makes_no_sense_is_answered_with_what_is_expected(stack: Stack) -> None:
    async with accepting(stack) as socket:
        with pytest.raises(TransientError, match="expected stop, kill or start and one of kafka"):
            await rehearse(STOP, "redis", socket=str(socket))
        _, writer = await asyncio.open_unix_connection(socket)
        writer.close()  # without a word; the next one is served all the same
        with pytest.raises(TransientError, match="expected"):
            await rehearse(START, "redis", socket=str(socket))


@pytest.mark.parametrize("socket", ["", "gone"])
async def test_without_a_running_stack_the_command_says_how_to_get_one(
    tmp_path: Path, socket: str
) -> None:
    path = str(tmp_path / socket) if socket else ""
    with pytest.raises(ConfigurationError, match="no running `zcc up` answers"):
        await rehearse(STOP, "kafka", socket=path)
