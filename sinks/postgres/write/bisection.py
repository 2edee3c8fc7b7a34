"""Finds what a table refuses, with few statements."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")

_share: Final = 0.382
"""Of what is left, so much is tried next: a refusal costs two statements, which take it back, and
what is taken one. So both outcomes pay for what they exclude (the golden section)."""


class RowProbe(Protocol[Item_contra]):
    """Tries items on a table, in one transaction."""

    async def refusal(self, items: Sequence[Item_contra]) -> str | None:
        """Try some; None: all are taken, and stay. Else why not; then nothing was tried yet."""

    async def again(self) -> None:
        """Go back to where nothing was tried yet."""


async def find_rejected_rows(
    items: Sequence[Item], trial: RowProbe[Item]
) -> list[tuple[Item, str]]:
    """Return the items that are refused even alone, in order, with the refusal.

    All of them together are known to be refused. One culprit among n costs about 1.44·log2(n)
    statements, and so does each further one.
    """
    found: list[tuple[Item, str]] = []
    start = 0
    await trial.again()
    while start < len(items):
        start = await _first(items, start, trial)
        await trial.again()
        refused = await trial.refusal(items[start : start + 1])
        if refused is None:
            break  # only together with others: nobody's own fault
        found.append((items[start], refused))
        start += 1
        if await trial.refusal(items[start:]) is None:
            break
    return found


async def _first(items: Sequence[Item], start: int, trial: RowProbe[Item]) -> int:
    """Return the place of the first culprit in what is refused from ``start`` on."""
    end = len(items)
    while end - start > 1:
        middle = start + max(1, round((end - start) * _share))
        if await trial.refusal(items[start:middle]) is None:
            start = middle
        else:
            end = middle
    return start
