"""Finds the rows that a table rejects, by golden-section search."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")

_share: Final = 0.382
"""The fraction of the rest to try next. A refusal costs two statements, which undo it, an
acceptance one: with the golden section both outcomes pay for what they exclude."""


class RowProbe(Protocol[Item_contra]):
    """Tries items on a table, in one transaction."""

    async def refusal(self, items: Sequence[Item_contra]) -> str | None:
        """Try some items: None where all are accepted, and stay; otherwise the reason.

        After a refusal none of the items was tried yet.
        """

    async def again(self) -> None:
        """Roll back to the start of the probe."""


async def find_rejected_rows(
    items: Sequence[Item], trial: RowProbe[Item]
) -> list[tuple[Item, str]]:
    """Return the items that are rejected even alone, in order, with the reason.

    The table is known to reject all of them together. One rejected item among n costs about
    1.44·log2(n) statements, and so does each further one.
    """
    rejected: list[tuple[Item, str]] = []
    start = 0
    await trial.again()
    while start < len(items):
        start = await _first(items, start, trial)
        await trial.again()
        refused = await trial.refusal(items[start : start + 1])
        if refused is None:
            break  # rejected only together with others: no item's own fault
        rejected.append((items[start], refused))
        start += 1
        if await trial.refusal(items[start:]) is None:
            break
    return rejected


async def _first(items: Sequence[Item], start: int, trial: RowProbe[Item]) -> int:
    """Return the index of the first rejected item from ``start`` on."""
    end = len(items)
    while end - start > 1:
        middle = start + max(1, round((end - start) * _share))
        if await trial.refusal(items[start:middle]) is None:
            start = middle
        else:
            end = middle
    return start
