"""A wait of the tests ends when its condition holds, and counts progress, not seconds."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.support.fakes.simulated_time import simulate
from tests.support.patience import HANG_GUARD_S, POLL_S, until


def after(polls: int) -> Callable[[], bool]:
    calls = count()
    return lambda: next(calls) >= polls


@pytest.fixture
def moves() -> Iterator[int]:
    return count()


def test_a_condition_that_comes_true_ends_the_wait() -> None:
    simulate(until(after(5), "the fifth poll"))


def test_a_coroutine_is_a_condition_too() -> None:
    async def holds() -> bool:
        return True

    simulate(until(holds, "the truth"))


def test_what_never_comes_and_does_not_move_is_named() -> None:
    with pytest.raises(AssertionError, match="it hangs: a letter did not come; last seen: 3"):
        simulate(until(lambda: False, "a letter", progress=lambda: 3))


def test_what_moves_may_take_longer_than_any_guard(moves: Iterator[int]) -> None:
    polls = int(3 * HANG_GUARD_S / POLL_S)
    simulate(until(after(polls), "the end", progress=lambda: next(moves)))
