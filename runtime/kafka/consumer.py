"""A member of a consumer group.

`KafkaConsumer.poll` settles changes of ownership in the caller's task (see `rebalancing`) and reads
nothing until then.

The library may stop fetching without an error: after a long stall of the loop, after an error in
one of its tasks, while it waits to join a group whose broker is gone. So a member is dropped when
it owns readable partitions and no broker answers for `silence_s`, or when a rebalance never ends.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self, assert_never

import structlog
from aiokafka import AIOKafkaConsumer, errors
from aiokafka import TopicPartition as LibraryPartition

from runtime.clock import Clock
from runtime.errors import ConfigurationError, FencedError, RestartNeededError, TransientError
from runtime.kafka.assignor import Assignor
from runtime.kafka.cluster import Cluster
from runtime.kafka.connection import by_fault, connecting, know_brokers
from runtime.kafka.deliveries import delivery_of
from runtime.kafka.joining import existing_partitions, foreign_members_error, refuse_foreign_members
from runtime.kafka.leaving import leave
from runtime.kafka.options import consumer_options, longest_rebalance_s
from runtime.kafka.owned_logs import OwnedLogs, leaders, read_to
from runtime.kafka.rebalancing import Assigned, RebalanceEvents, Revoked
from runtime.kafka.retention_loss import count_expired
from runtime.kafka.stall_detector import StallDetector, poll_interval_s
from runtime.kafka.timestamp_index import TimestampIndex
from runtime.member_share import MemberShare
from runtime.ports import Position, RebalanceListener
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, PartitionState, TopicPartition

silence_s: Final = 20.0
"""A member without an answer to any fetch for this long is dropped."""

log = structlog.get_logger()


class KafkaConsumer:
    """`runtime.ports.Consumer` on real brokers. It can be entered once.

    One member owns the same partition numbers of all topics that have equally many, and so all
    records of one engagement.

    A member with a static id (KIP-345) leaves without a word to the group. A process that enters
    with that id within the session timeout continues with the same partitions, and the other
    members notice nothing. The library does not expect two processes with one id: each would take
    the id back from the other, for ever. So a member that has lost partitions, or may not commit,
    asks whether it was replaced.
    """

    def __init__(  # noqa: PLR0913 - what a member of a group is made of
        self,
        settings: KafkaSettings,
        worker: WorkerSettings,
        *,
        group: str,
        topics: Sequence[str],
        listener: RebalanceListener,
        client_id: str,
        clock: Clock,
        on_share_changed: Callable[[MemberShare | None], None] | None = None,
    ) -> None:
        """Join the group when entered.

        ``on_share_changed`` receives each new share. It receives None when the member loses its
        share, before the group can continue without this member or reassign.
        """
        self._on_share_changed = on_share_changed
        self._settings = settings
        self._worker = worker
        self._group = group
        self._topics = topics
        self._listener = listener
        self._client_id = client_id
        self._clock = clock
        name = group.removeprefix(f"{settings.topic_prefix}.")
        self._cluster = Cluster(settings, client_id=client_id)
        self._logs = OwnedLogs(self._cluster, worker=name, clock=clock)
        self._parts = AsyncExitStack()
        self._rebalance = RebalanceEvents(self._report_no_share)
        self._assignor = Assignor()
        self._rejoin_requested_for: Mapping[str, int] = {}
        self._refreshed_s = clock.monotonic_s()
        self._paused: set[TopicPartition] = set()
        self._stall = StallDetector(clock)
        self._timestamps = TimestampIndex()

    async def __aenter__(self) -> Self:
        """Connect and ask to join; `poll` completes the join.

        Raises:
            TransientError: the brokers do not answer.
            ConfigurationError: they refuse, or topics do not exist.
        """
        async with AsyncExitStack() as parts:
            await parts.enter_async_context(self._cluster)
            self._cluster_id = await self._cluster.cluster_id()
            await refuse_foreign_members(self._cluster, self._group)
            partition_count = await existing_partitions(self._cluster, self._topics, self._clock)
            self._client = AIOKafkaConsumer(
                **consumer_options(
                    self._settings,
                    self._worker,
                    group=self._group,
                    client_id=self._client_id,
                    assignor=self._assignor,
                    partition_count=partition_count,
                )
            )
            parts.push_async_callback(leave, self._client)
            async with connecting(self._settings):
                await self._client.start()
                await know_brokers(self._client._client)  # noqa: SLF001 - it has no public name
            self._rebalance.client = self._client
            self._client.subscribe(list(self._topics), listener=self._rebalance)
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._report_no_share()
        await self._parts.aclose()

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        """Return fetched records; see `runtime.ports.Consumer.poll`.

        An error of the listener propagates, and the next call repeats the notification.
        """
        until_s = self._clock.monotonic_s() + timeout_s
        while True:
            await self._notify_listener()
            self._refresh_topics()
            await self._logs.check(leaders(self._client, self._rebalance.owned))
            deliveries = await self._fetched(max_records)
            if deliveries:
                self._stall.progressed()
                return deliveries
            self._give_up_if_silent()
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                return ()
            await self._wait(min(left_s, poll_interval_s))

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Commit as the member that holds the present assignment."""
        if not positions:
            return
        membership = self._rebalance.membership
        if membership is None:
            raise FencedError(f"commit: no partition was assigned to this member of {self._group}")
        try:
            await self._cluster.commit(self._group, self._logs.to_commit(positions), membership)
        except FencedError:
            await self._refuse_if_replaced()
            raise

    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        """Return the group's commits that belong to the logs of the assignment."""
        return self._logs.committed(await self._cluster.committed(self._group, partitions))

    async def refuse_recreated(self, partitions: Collection[TopicPartition]) -> None:
        """Refuse unless all polled records of these belong to the logs of the assignment."""
        topics = {source.topic for source in partitions}
        await self._logs.refuse_recreated(topics, leaders(self._client, partitions))

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the offset after the last readable record of each."""
        ends, index = await self._cluster.log_ends(partitions), self._timestamps
        return {at: index.records_end(at, ends[at], read_to(self._client, at)) for at in ends}

    def timestamp_ms(self, partition: TopicPartition, offset: int) -> int | None:
        """Return the timestamp of the first record from this offset on."""
        return self._timestamps.timestamp_ms(partition, offset)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Stop fetching from these partitions."""
        self._client.pause(*self._owned(partitions))
        self._paused.update(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Fetch from these partitions again."""
        self._client.resume(*self._owned(partitions))
        self._paused.difference_update(partitions)
        self._stall.progressed()  # of these nothing could be heard until now

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue an owned partition at this offset."""
        (owned,) = self._owned([partition])
        self._client.seek(owned, offset)
        self._timestamps.begin(partition, offset)

    def _owned(self, partitions: Collection[TopicPartition]) -> Collection[LibraryPartition]:
        foreign = set(partitions) - self._rebalance.owned
        if foreign:
            raise ValueError(f"partitions that are not assigned to this member: {sorted(foreign)}")
        return [LibraryPartition(*partition) for partition in partitions]

    async def _notify_listener(self) -> None:
        """Report a pending change of ownership to the listener."""
        match self._rebalance.pending:
            case None:
                return
            case Revoked(partitions):
                await self._refuse_if_replaced()
                if partitions:
                    await self._listener.revoked(partitions)
            case Assigned(partitions):
                if self._assignor.bypassed:
                    raise await foreign_members_error(self._cluster, self._group)
                try:
                    assignment = await self._assignment(partitions)
                except TransientError as error:
                    # A partition may have no leader for a while. Leaving would make all members
                    # join again, again and again, so this one waits as long as for a rebalance.
                    log.warning("assignment waits", group=self._group, error=str(error))
                    await self._clock.sleep(poll_interval_s)
                    return
                self._paused.clear()
                self._report_share()
                await self._listener.assigned(assignment)
            case other:
                assert_never(other)
        self._rebalance.settle()
        self._stall.progressed()

    def _report_share(self) -> None:
        assignor, membership = self._assignor, self._rebalance.membership
        if (
            self._on_share_changed is not None
            and assignor.rank is not None
            and membership is not None
        ):
            self._on_share_changed(
                MemberShare(assignor.rank, assignor.members, membership.generation)
            )

    def _report_no_share(self) -> None:
        if self._on_share_changed is not None:
            self._on_share_changed(None)

    async def _assignment(self, partitions: Collection[TopicPartition]) -> Assignment:
        """Find the start of each partition, and seek there."""
        topics = {source.topic for source in partitions}
        topic_ids = await self._logs.begin_assignment(topics, leaders(self._client, partitions))
        bounds = await self._cluster.log_bounds(partitions)
        positions = await self._cluster.committed(self._group, partitions)
        self._logs.count_replaced(positions)
        committed, states = self._logs.committed(positions), {}
        for source, position in committed.items():
            start, end = bounds[source]
            offset = None if position is None else position.offset
            states[source] = PartitionState(offset, start, end)
            self.seek(source, start if offset is None else max(offset, start))
        await self._commit_overtaken(count_expired(self._group, states, committed))
        return Assignment(self._cluster_id, self._group, states, topic_ids)

    async def _refuse_if_replaced(self) -> None:
        """Refuse to continue where another member has taken this one's static id.

        Raises:
            RestartNeededError: another member has it.
            TransientError: the brokers do not answer.
        """
        instance_id, membership = self._worker.instance_id, self._rebalance.membership
        if not instance_id or membership is None:
            return
        if await self._cluster.is_replaced(self._group, membership, instance_id=instance_id):
            raise RestartNeededError(  # to join again would take the id back, for ever
                f"another worker of {self._group} has taken ZCC_WORKER_INSTANCE_ID={instance_id}: "
                f"give each an id of its own (in Kubernetes the name of the pod), then start again"
            )

    async def _commit_overtaken(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Commit the new start where retention overtook a position: the loss counts once."""
        try:
            await self.commit(positions)
        except (TransientError, FencedError) as error:
            log.warning("not committed", group=self._group, error=str(error))

    async def _fetched(self, max_records: int) -> Sequence[Delivery]:
        try:
            if self._rebalance.in_progress:
                self._client._coordinator.check_errors()  # noqa: SLF001 - `getmany` does it else
                return ()
            # Without a time-out it only takes what is there, and never suspends.
            pieces = await self._client.getmany(timeout_ms=0, max_records=max_records)
        except errors.OffsetOutOfRangeError as error:
            ((partition, offset),) = error.args[0].items()
            raise await self._outside(TopicPartition(*partition), offset) from error
        except errors.KafkaError as error:
            await self._refuse_if_replaced()
            raise by_fault(f"poll as a member of {self._group}", error) from error
        except UnicodeDecodeError as error:
            # The name of a header has to be text. What was unpacked before it is read again.
            fetched = self._client._fetcher._records  # noqa: SLF001 - it does not say where
            source = TopicPartition(*next(iter(fetched)))
            raise ConfigurationError(
                f"{source.topic}/{source.partition} holds, from offset "
                f"{self._timestamps.next_offset(source)} on, a record with a header that is no "
                f"text ({error}): set the offset of {self._group} behind it, then start again"
            ) from error
        taken: list[Delivery] = []
        for partition, records in pieces.items():
            deliveries = [delivery_of(record) for record in records]
            self._timestamps.note(TopicPartition(*partition), deliveries)
            taken += deliveries
        return taken

    async def _outside(self, source: TopicPartition, offset: int) -> Exception:
        """Return the reason why the log does not hold the next offset."""
        start, end = (await self._cluster.log_bounds([source]))[source]
        name = f"{source.topic}/{source.partition}"
        await self.refuse_recreated([source])
        if offset > end:
            return ConfigurationError(
                f"{name} ends at offset {end}, but {self._group} is to go on at {offset}: the "
                f"log lost records, or is another; reset the group's offsets, then start again"
            )
        return TransientError(f"{name} begins at offset {start} by now, {offset} is gone")

    def _give_up_if_silent(self) -> None:
        """Give this member up where the brokers were silent for too long.

        Raises:
            TransientError: it is time to join again.
        """
        if self._rebalance.in_progress:
            bound_s = longest_rebalance_s(self._worker)
            heard: Hashable = "rebalance"
        else:
            bound_s = silence_s
            reading = self._rebalance.owned - self._paused
            if not reading:
                self._stall.progressed()
            heard = tuple(
                self._client.last_poll_timestamp(LibraryPartition(*source))
                for source in sorted(reading)
            )
        if self._stall.silent_for_s(heard) > bound_s:
            raise TransientError(
                f"the member of {self._group} has heard nothing for {bound_s:g} s"
                + (" of a rebalance" if self._rebalance.in_progress else "")
            )

    def _refresh_topics(self) -> None:
        """Have the library follow topics where it does not by itself.

        All topics existed when this member entered, but a broker that has just started may not know
        them yet. The library then assigns none of their partitions, and refreshes its metadata much
        later.

        Only the leader of the group watches for new partitions. A leader that returned with its
        static id does not learn that it is the leader. So each static member watches, and asks once
        to join again; the leader's request makes all members join.
        """
        now_s = self._clock.monotonic_s()
        if now_s - self._refreshed_s < poll_interval_s:
            return
        self._refreshed_s = now_s
        client = self._client._client  # noqa: SLF001 - the library offers no other way
        seen = {
            topic: len(client.cluster.partitions_for_topic(topic) or ()) for topic in self._topics
        }
        if 0 in seen.values():
            client.force_metadata_update()
        assigned = {topic: self._assignor.partition_counts.get(topic) for topic in self._topics}
        if self._worker.instance_id and assigned != seen != self._rejoin_requested_for:
            self._rejoin_requested_for = seen
            self._client._coordinator.request_rejoin()  # noqa: SLF001 - as above

    async def _wait(self, timeout_s: float) -> None:
        """Wait until records or a change of ownership may have arrived."""
        fetcher = self._client._fetcher  # noqa: SLF001 - a `getmany` that waits cannot be left
        fetched = fetcher._create_fetch_waiter()  # noqa: SLF001 - so this waits in its place
        try:
            await asyncio.wait(
                (fetched, self._rebalance.arrival()),
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            if fetched.done() and not fetched.cancelled():
                fetched.exception()  # the next `getmany` raises it
            fetched.cancel()
