"""Callers come, wait, give up and are cancelled as they like: no turn is lost, none comes twice."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.member_share import MemberShare
from tests.property.zoom.rate_limits.test_replicas import most_in_a_window
from tests.support.fakes.simulated_time import SimulatedClock, simulate
from tests.support.fakes.zoom import reply, zoom_settings
from zoom.errors import UnavailableError
from zoom.limits import Label, Priority
from zoom.metrics import metrics as zoom_metrics
from zoom.rate_limits.pacing import spacing
from zoom.rate_limits.scheduler import RateLimitScheduler

per_second, per_day, wait_s = 5, 10_000, 3.0
longest_blow_s = 3
label = Label.HEAVY


class Caller(NamedTuple):
    """Comes some time after the one before, and goes some time after that, if not served."""

    after_s: float
    priority: Priority
    patience_s: float | None


class Blow(NamedTuple):
    """Hits all waiting calls; ``members`` 0 is a group that rebalances, None changes no share."""

    at_s: float
    members: int | None
    pause_s: int | None
    limit: int | None


moments = st.one_of(st.just(0.0), st.sampled_from([0.0, 0.02, 0.204, 0.5, 1.02]), st.floats(0, 2))
all_callers = st.lists(
    st.builds(Caller, moments, st.sampled_from(Priority), st.none() | moments),
    min_size=1,
    max_size=60,
)
all_blows = st.lists(
    st.builds(
        Blow,
        st.floats(0, 8),
        st.none() | st.integers(0, 7),
        st.none() | st.integers(0, longest_blow_s),
        st.none() | st.integers(1, 9),
    ),
    max_size=4,
)


class Scenario:
    """What becomes of each caller."""

    def __init__(self) -> None:
        zoom = zoom_settings(
            calls_per_second={label: per_second},
            calls_per_day={label: per_day},
            budget_wait_s=wait_s,
        )
        self.scheduler = RateLimitScheduler(zoom, clock=SimulatedClock())
        self.granted_s: list[float] = []
        self.ended_in_vain: list[tuple[float, float]] = []
        self.generation = 0
        self.waiting: list[tuple[Priority, int]] = []
        self.arrivals = count()

    async def call(self, caller: Caller) -> None:
        loop = asyncio.get_running_loop()
        begun_s, turn = loop.time(), (caller.priority, next(self.arrivals))
        self.waiting.append(turn)
        try:
            async with asyncio.timeout(caller.patience_s):
                await self.scheduler.take(label, caller.priority, operation="any")
                self.granted_s.append(loop.time())
                assert turn == min(self.waiting), "another one was first"
        except (UnavailableError, TimeoutError):
            self.ended_in_vain.append((begun_s, loop.time()))
        finally:
            self.waiting.remove(turn)
        assert loop.time() <= begun_s + wait_s + 1e-6

    def granted_within(self, begin_s: float, end_s: float) -> int:
        return sum(begin_s <= moment_s <= end_s for moment_s in self.granted_s)

    async def blow(self, blow: Blow) -> None:
        await asyncio.sleep(blow.at_s)
        if blow.members is not None:
            self.on_share_changed(blow.members)
        if blow.pause_s is not None:
            self.scheduler.observe_response(label, reply(429, retry_after=str(blow.pause_s)))
        if blow.limit is not None:
            self.scheduler.observe_response(label, reply(200, x_ratelimit_limit=str(blow.limit)))

    def on_share_changed(self, members: int) -> None:
        self.generation += 1
        self.scheduler.on_share_changed(
            MemberShare(0, members, self.generation) if members else None
        )

    async def happen(self, callers: Sequence[Caller], blows: Sequence[Blow]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for blow in blows:
                tasks.create_task(self.blow(blow))
            for caller in callers:
                await asyncio.sleep(caller.after_s)
                tasks.create_task(self.call(caller))

    async def go_on(self) -> None:
        """Later callers are served at once, as if nobody had called before."""
        self.on_share_changed(1)
        self.scheduler.observe_response(label, reply(200, x_ratelimit_limit=str(per_second)))
        await asyncio.sleep(2 * longest_blow_s)
        now_s, before = asyncio.get_running_loop().time(), len(self.granted_s)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(per_second):
                tasks.create_task(self.call(Caller(0, Priority.BACKFILL, None)))
        assert self.granted_s[before:] == [now_s] * per_second


def shown_waiting() -> float:
    (waiting,) = zoom_metrics.budget_waiting.collect()
    return sum(sample.value for sample in waiting.samples)


@pytest.mark.thorough
@settings(max_examples=200, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(callers=all_callers, blows=all_blows)
def test_no_grant_is_lost_or_given_twice_when_callers_leave(
    callers: list[Caller], blows: list[Blow]
) -> None:
    async def outcome() -> tuple[Scenario, int, int]:
        story = Scenario()
        await story.happen(callers, blows)
        (standing,) = (each for each in story.scheduler.snapshot() if each.label is label)
        await story.go_on()
        return story, standing.waiting, standing.used_today

    story, waiting, used = simulate(outcome())
    assert most_in_a_window(story.granted_s, 1.0) <= per_second
    assert waiting == 0
    assert shown_waiting() == 0
    if not any(blow.members is not None for blow in blows):
        assert used == len(story.granted_s) - per_second
    if not blows:  # who waited for nothing saw others take every turn that there was
        for begin_s, end_s in story.ended_in_vain:
            scheduler = per_second * int((end_s - begin_s - 1e-6) / spacing)
            assert story.granted_within(begin_s, end_s) >= scheduler
