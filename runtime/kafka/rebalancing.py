"""Moves changes of ownership from the library's task into the caller's.

The library calls its listener in another task. It swallows the listener's errors, and hands out
records before the listener has said where to start. So these callbacks only note the change, and
wait until the caller has settled it.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as LibraryPartition

from runtime.kafka.cluster import Membership
from runtime.values import TopicPartition


@dataclass(frozen=True, slots=True)
class Revoked:
    """The group is about to take these partitions: all that were owned, maybe none."""

    partitions: Collection[TopicPartition]


@dataclass(frozen=True, slots=True)
class Assigned:
    """All partitions owned from now on."""

    partitions: Collection[TopicPartition]


Change = Revoked | Assigned


class RebalanceEvents(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """The library's listener: notes a change and waits until it is settled.

    ``in_progress`` is true from before a revocation until all new partitions are settled, which is
    exactly while the library might hand out records too early or not answer at all. ``membership``
    belongs to the present assignment; ``owned`` partitions may be sought and paused.
    """

    client: AIOKafkaConsumer
    """The consumer that uses this listener; set before it subscribes."""

    def __init__(self, revoking: Callable[[], None]) -> None:
        """Call ``revoking`` before this member joins again, whether or not it has partitions."""
        self._revoking = revoking
        self.in_progress = True
        self.pending: Change | None = None
        self.owned: frozenset[TopicPartition] = frozenset()
        self.membership: Membership | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._settled: asyncio.Future[None] | None = None

    def arrival(self) -> asyncio.Future[None]:
        """Return a future that completes once a change is pending."""
        if self._arrival is None or self._arrival.done():
            self._arrival = asyncio.get_running_loop().create_future()
        if self.pending is not None:
            self._arrival.set_result(None)
        return self._arrival

    def settle(self) -> None:
        """Let the library continue after the pending change."""
        match self.pending:
            case Revoked():
                self.owned = frozenset()
            case Assigned():
                self.in_progress = False
        self.pending = None
        if self._settled is not None:
            self._settled.set_result(None)

    async def on_partitions_revoked(self, revoked: Collection[LibraryPartition]) -> None:
        """Note the revocation. The library calls it before it joins."""
        self.in_progress = True
        self._revoking()
        if self.membership is not None:
            await self._note(Revoked(_topic_partitions(revoked)))

    async def on_partitions_assigned(self, assigned: Collection[LibraryPartition]) -> None:
        """Note the assignment. The library calls it after it has joined."""
        coordinator = self.client._coordinator  # noqa: SLF001 - the library has no public name for the generation
        self.membership = Membership(coordinator.generation, coordinator.member_id)
        # The library starts heartbeats only when this returns; the group would expel a slow member.
        coordinator._start_heartbeat_task()  # noqa: SLF001 - there is no public name
        self.owned = _topic_partitions(assigned)
        await self._note(Assigned(self.owned))

    async def _note(self, change: Change) -> None:
        self.pending = change
        self._settled = asyncio.get_running_loop().create_future()
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        await self._settled


def _topic_partitions(partitions: Collection[LibraryPartition]) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(*partition) for partition in partitions)
