"""A page of lookups ends in time, however small the budget is."""

import pytest

from processors.reference.service import lookups_per_page


@pytest.mark.parametrize(
    ("calls_per_second", "lookups"), [(100.0, 20), (2.0, 20), (0.4, 6), (0.2, 3), (0.001, 1)]
)
def test_a_small_budget_has_small_pages(calls_per_second: float, lookups: int) -> None:
    assert lookups_per_page(calls_per_second) == lookups
