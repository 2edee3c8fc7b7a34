"""Finding what a table refuses."""

from collections.abc import Sequence

import pytest

from sinks.postgres.write.bisection import find_rejected_rows


class Tries:
    """A table that refuses some numbers; ``statements`` counts those that a database would run."""

    def __init__(self, bad: set[int], together: set[int] | None = None) -> None:
        self.bad = bad
        self.together = together
        self.taken: set[int] = set()
        self.statements = 0

    async def again(self) -> None:
        self.statements += bool(self.taken)
        self.taken = set()

    async def refusal(self, items: Sequence[int]) -> str | None:
        self.statements += bool(items)
        self.taken |= set(items)
        if self.bad & self.taken or (self.together and self.together <= self.taken):
            await self.again()
            return "refused"
        return None


@pytest.mark.parametrize("bad", [{0}, {4999}, {7, 8, 4000}, set(range(10)), {4998, 4999}])
async def test_exactly_the_rejected_rows_are_found_in_order(bad: set[int]) -> None:
    rejected = await find_rejected_rows(range(5000), Tries(bad))
    assert rejected == [(item, "refused") for item in sorted(bad)]


async def test_one_culprit_costs_few_statements_wherever_it_is() -> None:
    for culprit in range(0, 5000, 7):
        tries = Tries({culprit})
        await find_rejected_rows(range(5000), tries)
        assert tries.statements <= 22


async def test_what_is_refused_only_together_is_nobodys_fault() -> None:
    assert await find_rejected_rows(range(100), Tries(set(), together={3, 70})) == []
    assert await find_rejected_rows([5], Tries(set())) == []
