"""Changes of ownership: noted in the library's task, told in the caller's.

The library calls its listener in a task of its own; it swallows what the listener raises, and hands
out records before the listener has said where to start. So its callbacks only leave a note and
wait until somebody has settled it.
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
    """These partitions are about to be taken away; they are all that were owned, maybe none."""

    partitions: Collection[TopicPartition]


@dataclass(frozen=True, slots=True)
class Assigned:
    """All partitions owned from now on."""

    partitions: Collection[TopicPartition]


Change = Revoked | Assigned


class RebalanceEvents(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """The library's listener: notes a change and waits until it is settled.

    ``in_progress`` from before partitions are taken away until all new ones are settled, so exactly
    while the library might hand out records too early or not answer at all. ``membership`` is what
    the present assignment was given to, ``owned`` may be sought and paused.
    """

    client: AIOKafkaConsumer
    """Whose listener it is; set before it subscribes."""

    def __init__(self, revoking: Callable[[], None]) -> None:
        """Call ``revoking`` before this member joins anew, whether or not it has partitions."""
        self._revoking = revoking
        self.in_progress = True
        self.pending: Change | None = None
        self.owned: frozenset[TopicPartition] = frozenset()
        self.membership: Membership | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._settled: asyncio.Future[None] | None = None

    def arrival(self) -> asyncio.Future[None]:
        """Return what is done once a change is pending."""
        if self._arrival is None or self._arrival.done():
            self._arrival = asyncio.get_running_loop().create_future()
        if self.pending is not None:
            self._arrival.set_result(None)
        return self._arrival

    def settle(self) -> None:
        """Let the library go on after the pending change."""
        match self.pending:
            case Revoked():
                self.owned = frozenset()
            case Assigned():
                self.in_progress = False
        self.pending = None
        if self._settled is not None:
            self._settled.set_result(None)

    async def on_partitions_revoked(self, revoked: Collection[LibraryPartition]) -> None:
        """Called by the library before it joins."""
        self.in_progress = True
        self._revoking()
        if self.membership is not None:
            await self._note(Revoked(_ours(revoked)))

    async def on_partitions_assigned(self, assigned: Collection[LibraryPartition]) -> None:
        """Called by the library when it has joined."""
        coordinator = self.client._coordinator  # noqa: SLF001 - the generation is told nowhere else
        self.membership = Membership(coordinator.generation, coordinator.member_id)
        # The library does it when this returns; the group would miss a member that takes its time.
        coordinator._start_heartbeat_task()  # noqa: SLF001 - there is no public name
        self.owned = _ours(assigned)
        await self._note(Assigned(self.owned))

    async def _note(self, change: Change) -> None:
        self.pending = change
        self._settled = asyncio.get_running_loop().create_future()
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        await self._settled


def _ours(partitions: Collection[LibraryPartition]) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(*partition) for partition in partitions)
