"""All replicas together keep the share, in every sliding second, whatever happens to them."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import Literal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.errors import TransientError
from tests.support.fakes.simulated_time import simulate
from tests.support.replicas import Fleet
from zoom.limits import Label, plan_limits
from zoom.rate_limits.daily_share import Count, Counts
from zoom.rate_limits.pacing import whole_calls

Plan = Literal["pro", "business_plus"]

happenings = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, 1.1, 4.0]),
        st.sampled_from(["start", "start", "leave", "crash", "come back", "nothing"]),
        st.integers(0, 7),
    ),
    max_size=12,
)
scenarios = settings(
    max_examples=50,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes
)
shares = st.one_of(st.sampled_from([1.0, 0.5, 0.29, 0.1]), st.floats(0.02, 1.0))


def happen(fleet: Fleet, what: str, which: int) -> None:
    alive = fleet.alive
    dead = [replica for replica in fleet.replicas if not replica.alive]
    if what == "start" and len(alive) < 9:
        fleet.start()
    elif what == "leave" and alive:
        fleet.leave(alive[which % len(alive)])
    elif what == "crash" and alive:
        fleet.crash(alive[which % len(alive)])
    elif what == "come back" and dead:
        fleet.come_back(dead[which % len(dead)])


async def run(
    story: list[tuple[float, str, int]], *, seed: int, members: int, length_s: float, **more: object
) -> Mapping[Label, list[float]]:
    """Return when calls of each label went out; `more` goes to the fleet."""
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(Random(seed), tasks, **more)
        group = tasks.create_task(fleet.share_out())
        for _ in range(members):
            fleet.start()
        for after_s, what, which in story:
            await asyncio.sleep(after_s)
            happen(fleet, what, which)
        await asyncio.sleep(length_s)
        group.cancel()
        fleet.end()
    return fleet.sent


def most_in_a_window(moments: list[float], length_s: float) -> int:
    """Return how many of these ascending moments one half-open window of this length holds."""
    most = first = 0
    for index, moment_s in enumerate(moments):
        while moment_s - moments[first] >= length_s - 1e-6:
            first += 1
        most = max(most, index - first + 1)
    return most


def in_a_minute(moments: list[float]) -> int:
    """Return how many calls went out in the minute from the fifth second on that some did."""
    first_s = next(moment_s for moment_s in moments if moment_s >= moments[0] + 5)
    return sum(first_s <= moment_s < first_s + 60 for moment_s in moments)


@pytest.mark.thorough
@scenarios
@given(
    story=happenings,
    seed=st.integers(0, 2**32),
    members=st.integers(1, 8),
    plan=st.sampled_from(["pro", "business_plus"]),
    share=shares,
)
def test_no_sliding_second_holds_more_than_the_share_of_all_replicas(
    story: list[tuple[float, str, int]], seed: int, members: int, plan: Plan, share: float
) -> None:
    sent = simulate(
        run(story, seed=seed, members=members, length_s=15, skew_s=0.004, plan=plan, share=share)
    )
    for label, limit in plan_limits[plan].items():
        rate = limit.per_second * share
        assert most_in_a_window(sent[label], max(1.0, 1.0 / rate)) <= whole_calls(rate)


@pytest.mark.thorough
@pytest.mark.parametrize("members", [1, 4])
def test_forty_calls_a_second_are_used_up_by_any_number_of_members(members: int) -> None:
    sent = simulate(
        run([], seed=1, members=members, length_s=70, callers=20, plan="business_plus", share=1.0)
    )
    assert 0.97 * 40 * 60 <= in_a_minute(sent[Label.LIGHT]) <= 40 * 60
    assert most_in_a_window(sent[Label.LIGHT], 1.0) == 40


@pytest.mark.thorough
@pytest.mark.parametrize("members", [1, 2, 4, 5, 8])
def test_five_calls_a_second_are_used_up_by_any_number_of_replicas(members: int) -> None:
    sent = simulate(run([], seed=1, members=members, length_s=70, plan="pro", share=1.0))
    assert 0.97 * 5 * 60 <= in_a_minute(sent[Label.HEAVY]) <= 5 * 60
    assert most_in_a_window(sent[Label.HEAVY], 1.0) <= 5


class Store:
    """Counts of all replicas; slow, and away at times."""

    def __init__(self, rng: Random, *, failing: float) -> None:
        self.rng = rng
        self.failing = failing
        self.counts: defaultdict[Label, dict[int, Count]] = defaultdict(dict)
        self.saves = 0

    async def load(self, label: Label) -> Counts:
        await asyncio.sleep(self.rng.uniform(0, 0.2))
        return dict(self.counts[label])

    async def save(self, label: Label, rank: int, count: Count) -> None:
        self.saves += 1
        if self.rng.random() < self.failing:
            raise TransientError("away")
        self.counts[label][rank] = count  # sent at once, acknowledged later
        await asyncio.sleep(self.rng.uniform(0, 0.05))


@pytest.mark.thorough
@scenarios
@given(
    story=happenings,
    seed=st.integers(0, 2**32),
    members=st.integers(1, 6),
    most=st.integers(1, 150),
)
def test_no_day_holds_more_calls_than_its_limit_across_crashes_and_restarts(
    story: list[tuple[float, str, int]], seed: int, members: int, most: int
) -> None:
    sent = simulate(
        run(
            story,
            seed=seed,
            members=members,
            length_s=20,
            counts=lambda: Store(Random(seed), failing=0.0),
            share=1.0,
            calls_per_day={Label.HEAVY: most, Label.LIGHT: 3 * most},
        )
    )
    assert len(sent[Label.HEAVY]) <= most
    assert len(sent[Label.LIGHT]) <= 3 * most
