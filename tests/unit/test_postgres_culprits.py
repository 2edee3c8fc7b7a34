"""Finding the rows that a table refuses."""

import math
from collections.abc import Sequence

import pytest

from sinks.postgres.culprits import culprits


class Tries:
    def __init__(self, bad: set[int]) -> None:
        self.bad = bad
        self.count = 0

    async def __call__(self, items: Sequence[int]) -> str | None:
        self.count += 1
        return "refused" if self.bad.intersection(items) else None


@pytest.mark.parametrize("bad", [set(), {0}, {4999}, {7, 8, 4000}, set(range(10))])
async def test_exactly_the_culprits_are_found_in_order(bad: set[int]) -> None:
    found = await culprits(range(5000), Tries(bad))
    assert found == [(item, "refused") for item in sorted(bad)]


async def test_one_culprit_costs_about_two_tries_for_each_halving() -> None:
    tries = Tries({1234})
    await culprits(range(5000), tries)
    assert tries.count <= 2 * math.ceil(math.log2(5000)) + 1


async def test_nothing_is_nobodys_fault() -> None:
    assert await culprits([], Tries({1})) == []
