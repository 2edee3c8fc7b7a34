"""Finds the rows that a table refuses, by trying halves."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Refusal = TypeVar("Refusal")


async def culprits(
    items: Sequence[Item], refusal: Callable[[Sequence[Item]], Awaitable[Refusal | None]]
) -> list[tuple[Item, Refusal]]:
    """Return the items that are refused even alone, in order, each with its refusal.

    ``refusal`` tries some items and takes them back; it answers None where all were taken. One
    culprit among n items costs about 2·log2(n) tries.
    """
    refused = await refusal(items)
    if refused is None:
        return []
    if len(items) == 1:
        return [(items[0], refused)]
    middle = len(items) // 2
    return [
        *await culprits(items[:middle], refusal),
        *await culprits(items[middle:], refusal),
    ]
