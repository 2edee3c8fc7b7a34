"""Runs a bounded number of requests to the store at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from runtime.worker.membership import task_group

_requests: Final = 8

Argument = TypeVar("Argument")
Result = TypeVar("Result")


async def for_each(
    arguments: Iterable[Argument], call: Callable[[Argument], Awaitable[Result]]
) -> list[Result]:
    """Return the results in the order of the arguments; the first failure cancels the others."""
    permits = asyncio.Semaphore(_requests)

    async def limited(argument: Argument) -> Result:
        async with permits:
            return await call(argument)

    async with task_group() as tasks:
        running = [tasks.create_task(limited(argument)) for argument in arguments]
    return [task.result() for task in running]
