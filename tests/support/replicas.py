"""Replicas that ask as much as they can, and a group that shares out seats among them.

The group does as Kafka's does: nobody is given a seat before all members have given theirs up; of a
member that died it does without once its session is over; one that comes back before, with its
static id, goes on in the seat that it had.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from runtime.member_share import MemberShare
from tests.support.fakes.simulated_time import SimulatedClock
from tests.support.fakes.zoom import zoom_settings
from zoom.errors import UnavailableError
from zoom.limits import Label, Priority
from zoom.rate_limits.daily_share import DailyCounts
from zoom.rate_limits.scheduler import RateLimitScheduler

session_s = 10.0


class SkewedClock(SimulatedClock):
    """A wall clock that is off."""

    def __init__(self, skew_s: float) -> None:
        self._skew = timedelta(seconds=skew_s)

    def now(self) -> datetime:
        return super().now() + self._skew


class Replica:
    """One process: asks for every label, from ``callers`` tasks each."""

    def __init__(self, fleet: "Fleet", name: str, share: MemberShare | None) -> None:
        self.name = name
        self.alive = True
        self.share = share
        self.died_s = 0.0
        clock = SkewedClock(fleet.rng.uniform(-fleet.skew_s, fleet.skew_s))
        self.scheduler = RateLimitScheduler(
            fleet.settings, clock=clock, member_share=share, counts=fleet.counts
        )
        self.tasks = [
            fleet.tasks.create_task(self._ask(fleet, label))
            for label in Label
            for _ in range(fleet.callers)
        ]

    def on_share_changed(self, share: MemberShare | None) -> None:
        if self.alive:
            self.share = share
            self.scheduler.on_share_changed(share)

    def die(self) -> None:
        self.alive = False
        self.died_s = asyncio.get_running_loop().time()
        for task in self.tasks:
            task.cancel()

    async def _ask(self, fleet: "Fleet", label: Label) -> None:
        while True:
            priority = fleet.rng.choice(list(Priority))
            try:
                await self.scheduler.take(label, priority, operation="any")
            except UnavailableError:
                await asyncio.sleep(fleet.rng.uniform(0.01, 0.5))
            else:
                fleet.sent[label].append(asyncio.get_running_loop().time())


class Fleet:
    """All replicas, and their group. Run `share_out` beside what happens to them."""

    def __init__(  # what a scenario varies
        self,
        rng: Random,
        tasks: asyncio.TaskGroup,
        *,
        counts: Callable[[], DailyCounts] | None = None,
        skew_s: float = 0.0,
        callers: int = 3,
        **settings: object,
    ) -> None:
        self.rng = rng
        self.tasks = tasks
        self.counts = counts() if counts else None
        self.skew_s = skew_s
        self.callers = callers
        self.settings = zoom_settings(**settings)
        self.sent: defaultdict[Label, list[float]] = defaultdict(list)
        self.replicas: list[Replica] = []
        self.generation = 0
        self.sharing_out = False
        self._changed = asyncio.Event()
        self._started = 0

    @property
    def alive(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.alive]

    def start(self) -> None:
        """A new member joins."""
        self._started += 1
        self.replicas.append(Replica(self, f"m{self._started}", None))
        self._changed.set()

    def leave(self, replica: Replica) -> None:
        """A member drains, and leaves with a word to the group."""
        replica.die()
        self.replicas.remove(replica)
        self._changed.set()

    def crash(self, replica: Replica) -> None:
        """A member dies; the group will notice."""
        replica.die()

    def come_back(self, replica: Replica) -> None:
        """A member with a static id that had died is there again, while nobody has noticed."""
        if replica in self.replicas and not self.sharing_out:
            self.replicas[self.replicas.index(replica)] = Replica(self, replica.name, replica.share)

    def end(self) -> None:
        for replica in self.alive:
            replica.die()

    async def share_out(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for replica in [each for each in self.replicas if not each.alive]:
                if loop.time() - replica.died_s >= session_s:
                    self.replicas.remove(replica)
                    self._changed.set()
            if self._changed.is_set():
                self._changed.clear()
                self.sharing_out = True
                await self._rebalance()
                self.sharing_out = False
            await asyncio.sleep(0.05)

    async def _rebalance(self) -> None:
        async with asyncio.TaskGroup() as joining:
            for replica in self.replicas:
                joining.create_task(self._later(replica, None))
        self.replicas = self.alive  # the others are waited for, and then done without
        self.generation += 1
        members = sorted(self.replicas, key=lambda each: each.name)
        async with asyncio.TaskGroup() as syncing:
            for rank, replica in enumerate(members):
                share = MemberShare(rank, len(members), self.generation)
                syncing.create_task(self._later(replica, share))

    async def _later(self, replica: Replica, share: MemberShare | None) -> None:
        await asyncio.sleep(self.rng.choice([0.0, 0.01, self.rng.uniform(0, 2)]))
        replica.on_share_changed(share)
