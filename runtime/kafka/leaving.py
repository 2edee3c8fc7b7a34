"""Closes a consumer in bounded time, in any state of the brokers and of the library's tasks."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.connection import answering

_leave_s: Final = 3.0

log = structlog.get_logger()


async def leave(client: AIOKafkaConsumer) -> None:
    """Leave the group and close, in any state of the brokers and of the library's tasks.

    The library would first finish a rebalance in progress, and so wait for all other members, or
    for ever for `poll` to settle a change. So its coordination task is ended first.
    """
    coordinator = client._coordinator  # noqa: SLF001 - the library has no way to leave at once
    if coordinator is not None:
        await _end(coordinator._coordination_task)  # noqa: SLF001 - that is what waits
    await close(client)


async def close(client: AIOKafkaConsumer) -> None:
    """Close a consumer, of a group or of none.

    Its fetches are ended first: the library would cancel a fetch that waits for its retry, and let
    that cancellation out of `stop`.
    """
    fetcher = client._fetcher  # noqa: SLF001 - as above
    if fetcher is not None:
        await _end(fetcher._fetch_task)  # noqa: SLF001 - it begins the others
        for fetch in fetcher._pending_tasks:  # noqa: SLF001 - as above
            await _end(fetch)
        fetcher._pending_tasks.clear()  # noqa: SLF001 - as above
    try:
        async with answering("close", timeout_s=_leave_s):
            await client.stop()
    except (TransientError, FencedError, ConfigurationError) as error:
        log.warning("closed without notice to the brokers", error=str(error))
        await _abandon(client)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=_leave_s)
    if task.done() and not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not log it; `poll` has raised it


async def _abandon(client: AIOKafkaConsumer) -> None:
    """Close the parts that `stop` did not reach."""
    coordinator = client._coordinator  # noqa: SLF001 - `stop` cannot be called twice
    if not isinstance(coordinator, GroupCoordinator):
        coordinator = None
    fetcher = client._fetcher  # noqa: SLF001 - `stop` cannot be called twice
    connections = client._client  # noqa: SLF001 - `stop` cannot be called twice
    steps = [
        coordinator and coordinator._stop_heartbeat_task,  # noqa: SLF001 - one of its steps
        coordinator and coordinator._stop_commit_offsets_refresh_task,  # noqa: SLF001 - another
        fetcher and fetcher.close,
        connections.close,
    ]
    for step in filter(None, steps):
        with suppress(TransientError, FencedError, ConfigurationError):
            async with answering("close", timeout_s=_leave_s):
                await step()
