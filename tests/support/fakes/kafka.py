"""Kafka in memory, for simulation: logs, groups with generations, faults on request.

Everything that is left open to a real cluster (how much a poll returns, from which partitions, how
long an acknowledgement takes) is drawn from the given chance, and waiting takes the time of the
running loop, so that a run in simulated time is repeated exactly by its seed. For that nothing here
follows the order of a set, which is another in each process.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Self

from runtime.clock import Clock
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.offsets.metadata import max_characters
from runtime.offsets.topic_ids import differs
from runtime.ports import Position, RebalanceListener
from runtime.values import Assignment, Delivery, PartitionState, Record, TopicPartition
from tests.support.fakes.kafka_group import Group
from tests.support.fakes.kafka_log import Log
from tests.support.fakes.kafka_log_reader import FakeLogReader
from tests.support.fakes.kafka_publisher import FakePublisher
from tests.support.fakes.kafka_transactions import FakeTransactions
from tests.support.fakes.waiting import Waiting

longest_wait_s = 0.5
looks_at_ids = 0.2  # of polls
metadata_characters = max_characters  # of the default of a broker's offset.metadata.max.bytes


class FakeBroker:
    """A cluster. ``down`` True is an outage: nobody is answered.

    The next ``lost_acknowledgements`` records are stored, and the next ``lost_commits`` commits
    taken, while their sender is told a failure. The next ``lost_records`` are not stored, and their
    sender is told the same.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: Random,
        session_timeout_s: float = 30.0,
        rebalance_timeout_s: float = 50.0,
        record_bytes: int = 1024 * 1024,
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.session_timeout_s = session_timeout_s
        self.rebalance_timeout_s = rebalance_timeout_s
        self.record_bytes = record_bytes
        self.cluster_id = "fake-cluster"
        self.down = False
        self.lost_acknowledgements = 0
        self.lost_commits = 0
        self.lost_records = 0
        self.logs: dict[TopicPartition, Log] = {}
        self.topic_ids: dict[str, str] = {}
        self.epochs: defaultdict[str, int] = defaultdict(int)
        self._created_count = 0
        self.groups: defaultdict[str, Group] = defaultdict(Group)
        self._waiting = Waiting()

    def create_topic(self, name: str, *, partitions: int) -> None:
        self._created_count += 1
        self.topic_ids[name] = f"{self._created_count:022}"
        for number in range(partitions):
            self.logs[TopicPartition(name, number)] = Log()

    def recreate_topic(self, name: str) -> None:
        """Delete a topic and make it anew; the groups' positions in it stay, as if late."""
        self.create_topic(name, partitions=len(self.partitions([name])))
        self.changed()

    def delete_topic(self, name: str) -> None:
        del self.topic_ids[name]
        self.logs = {source: log for source, log in self.logs.items() if source.topic != name}

    def publisher(self) -> FakePublisher:
        return FakePublisher(self)

    def transactions(self, *, transactional_id: str) -> FakeTransactions:
        return FakeTransactions(self, transactional_id)

    def log_reader(self, topic: str) -> FakeLogReader:
        return FakeLogReader(self, topic)

    def consumer(
        self, *, group: str, topics: Sequence[str], listener: RebalanceListener
    ) -> "FakeConsumer":
        return FakeConsumer(self, group=group, topics=topics, listener=listener)

    def records(self, topic: str) -> list[Delivery]:
        """All records of a topic, partition by partition."""
        return [delivery for source in self.partitions([topic]) for delivery in self.log(source)]

    def log(self, source: TopicPartition) -> list[Delivery]:
        return self.logs[source].records

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        wanted = set(topics)
        return sorted(source for source in self.logs if source.topic in wanted)

    def append(self, source: TopicPartition, record: Record) -> None:
        log = self.logs[source]
        now_ms = int(self.clock.now().timestamp() * 1000)
        headers = tuple(record.headers)
        log.records.append(Delivery(*source, log.end, record.key, record.value, headers, now_ms))
        log.end += 1
        self.changed()

    def leave_gap(self, source: TopicPartition, count: int = 1) -> None:
        """Use up offsets without records, as the markers of transactions do."""
        self.logs[source].end += count
        self.changed()

    def delete_before(self, source: TopicPartition, offset: int) -> None:
        """Delete old records, as retention does."""
        log = self.logs[source]
        log.start = offset
        log.records = [delivery for delivery in log.records if delivery.offset >= offset]

    def rebalance(self, group: str) -> None:
        """Make all members join again."""
        state = self.groups[group]
        if state.rebalancing_since_s is None:
            state.rebalancing_since_s = self.clock.monotonic_s()
            state.joined.clear()
        self.changed()

    def crash(self, member: "FakeConsumer") -> None:
        """End a member as kill -9 does: the group misses it when its session is over."""
        self.cut_off(member)

    def cut_off(self, member: "FakeConsumer") -> None:
        """Part a member from its group, as a network does; its process and its publisher go on."""
        member.cut_off_s = self.clock.monotonic_s()

    def heal(self, member: "FakeConsumer") -> None:
        """Let the group hear of it again, whether or not it has done without it.

        Of one that has left meanwhile it hears no more.
        """
        if not member.left:
            member.cut_off_s = None
            self.changed()

    def throw_out(self, member: "FakeConsumer") -> None:
        """Remove a member from its group, as after a stall longer than its session."""
        group = self.groups[member.group]
        if member in group.members:
            group.dismiss(member)
            self.rebalance(member.group)

    def answer(self) -> None:
        """Raise TransientError during an outage."""
        if self.down:
            raise TransientError("the fake brokers do not answer")

    def move_on(self, name: str) -> None:
        """Let time and what has happened take effect on a group."""
        group, now_s = self.groups[name], self.clock.monotonic_s()
        for member in list(group.members):
            cut_off_s = member.cut_off_s
            if cut_off_s is not None and now_s - cut_off_s >= self.session_timeout_s:
                self.throw_out(member)
        if group.rebalancing_since_s is None:
            return
        if now_s - group.rebalancing_since_s >= self.rebalance_timeout_s:
            for member in [each for each in group.members if each not in group.joined]:
                group.dismiss(member)
        if group.members and all(member in group.joined for member in group.members):
            self._assign(group)

    def _assign(self, group: Group) -> None:
        """Give each member the same share of the partition numbers of every topic."""
        group.generation += 1
        group.rebalancing_since_s = None
        for member in group.members:
            member.generation = group.generation
            member.given = []
        for topic in sorted({topic for member in group.members for topic in member.topics}):
            members = [member for member in group.members if topic in member.topics]
            sources = self.partitions([topic])
            share, more = divmod(len(sources), len(members))
            for index, member in enumerate(members):
                first = index * share + min(index, more)
                member.given += sources[first : first + share + (index < more)]
        self.changed()

    def changed(self) -> None:
        """Wake all who wait."""
        self._waiting.wake()

    async def wait(self, timeout_s: float) -> None:
        """Wait for a change, no longer than this."""
        await self._waiting.wait(min(timeout_s, longest_wait_s))


class FakeConsumer:
    """`runtime.ports.Consumer` on the fake."""

    def __init__(
        self, broker: FakeBroker, *, group: str, topics: Sequence[str], listener: RebalanceListener
    ) -> None:
        self.group = group
        self.topics = topics
        self.given: list[TopicPartition] | None = None
        self.generation: int | None = None
        self.cut_off_s: float | None = None
        self.left = False
        self._broker = broker
        self._listener = listener
        self._positions: dict[TopicPartition, int] = {}
        self._topic_ids: dict[str, str] = {}
        self._paused: set[TopicPartition] = set()

    async def __aenter__(self) -> Self:
        self._broker.answer()
        missing = set(self.topics) - {source.topic for source in self._broker.logs}
        if missing:
            raise ConfigurationError(f"topics that do not exist: {sorted(missing)}")
        self._broker.groups[self.group].members.append(self)
        self._broker.rebalance(self.group)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.left = True
        if self.cut_off_s is None:
            self._broker.throw_out(self)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        clock = self._broker.clock
        until_s = clock.monotonic_s() + timeout_s
        while True:
            self._broker.answer()
            if self.cut_off_s is None and await self._settled():
                if self._broker.rng.random() < looks_at_ids:
                    await self.refuse_recreated(tuple(self._positions))
                taken = self._take(max_records)
                if taken:
                    return taken
            left_s = until_s - clock.monotonic_s()
            if left_s <= 0:
                return ()
            await self._broker.wait(left_s)

    async def _settled(self) -> bool:
        """Follow the group; return whether this member may read."""
        group = self._broker.groups[self.group]
        self._broker.move_on(self.group)
        if self.given is None and (
            group.rebalancing_since_s is not None or self.generation != group.generation
        ):
            await self._join(group)
        self._broker.move_on(self.group)
        if self.given is not None:
            await self._take_over(self.given)
        return self.generation == group.generation and group.rebalancing_since_s is None

    async def _join(self, group: Group) -> None:
        if self._positions:
            await self._listener.revoked(tuple(self._positions))
            self._positions.clear()
        if self not in group.members:
            group.members.append(self)
            self._broker.rebalance(self.group)
        if self not in group.joined:
            group.joined.append(self)
            self._broker.changed()

    async def _take_over(self, given: Collection[TopicPartition]) -> None:
        self._paused.clear()
        self._topic_ids = {s.topic: self._broker.topic_ids[s.topic] for s in given}
        committed = await self.committed(given)
        states = {}
        for source in given:
            log, position = self._broker.logs[source], committed[source]
            offset = None if position is None else position.offset
            if position == Position(offset or 0) and position.offset < log.start:
                self._broker.groups[self.group].committed[source] = Position(log.start)
            states[source] = PartitionState(offset, log.start, log.end)
            self._positions[source] = log.start if offset is None else max(offset, log.start)
        await self._listener.assigned(
            Assignment(self._broker.cluster_id, self.group, states, dict(self._topic_ids))
        )
        self.given = None

    def _take(self, max_records: int) -> list[Delivery]:
        rng = self._broker.rng
        sources = [source for source in self._positions if source not in self._paused]
        rng.shuffle(sources)
        taken: list[Delivery] = []
        for source in sources:
            room = max_records - len(taken)
            if room > 0:
                taken += self._read(source, rng.randint(1, room))
        return taken

    def _read(self, source: TopicPartition, count: int) -> list[Delivery]:
        log, position = self._broker.logs[source], self._positions[source]
        if position > log.end:
            self._refuse_recreated([source])
            raise ConfigurationError(f"{source} ends at {log.end}, not {position}")
        if position < log.start:
            raise TransientError(f"{source} begins at {log.start} by now")
        first = bisect_left(log.records, position, key=lambda delivery: delivery.offset)
        records = log.records[first : first + count]
        if records:
            self._positions[source] = records[-1].offset + 1
        return records

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        self._answer()
        if any(len(position.metadata) > metadata_characters for position in positions.values()):
            raise ConfigurationError("commit: the text beside an offset is too long")
        self._broker.move_on(self.group)
        group = self._broker.groups[self.group]
        if positions and (self not in group.members or self.generation != group.generation):
            raise FencedError(f"commit: {self.group} has moved on")
        group.committed.update(positions)
        group.committed_in.update({each: self._topic_ids[each.topic] for each in positions})
        if self._broker.lost_commits:
            self._broker.lost_commits -= 1
            raise TransientError("the acknowledgement was lost")

    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        self._answer()
        group = self._broker.groups[self.group]
        return {
            source: None
            if differs(group.committed_in.get(source, ""), self._topic_ids.get(source.topic, ""))
            else group.committed.get(source)
            for source in partitions
        }

    async def refuse_recreated(self, partitions: Collection[TopicPartition]) -> None:
        self._answer()
        self._refuse_recreated(partitions)

    def _refuse_recreated(self, partitions: Collection[TopicPartition]) -> None:
        present = self._broker.topic_ids
        if any(present[s.topic] != self._topic_ids[s.topic] for s in partitions):
            raise FencedError("a topic was recreated since the assignment")

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._answer()
        return {source: self._records_end(source) for source in partitions}

    def _records_end(self, source: TopicPartition) -> int:
        """Where nothing but a gap is left to read, the end is before the gap."""
        log = self._broker.logs[source]
        position = self._positions.get(source, log.end)
        has_more = any(delivery.offset >= position for delivery in log.records)
        return log.end if has_more else min(position, log.end)

    def timestamp_ms(self, partition: TopicPartition, offset: int) -> int | None:
        if offset >= self._positions.get(partition, 0):
            return None
        timestamps = (d.timestamp_ms for d in self._broker.log(partition) if d.offset >= offset)
        return next(timestamps, None)

    def _answer(self) -> None:
        self._broker.answer()
        if self.cut_off_s is not None:
            raise TransientError("the fake brokers cannot be reached")

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self._refuse_foreign(partitions)
        self._paused.update(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self._refuse_foreign(partitions)
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._refuse_foreign([partition])
        self._positions[partition] = offset

    def _refuse_foreign(self, partitions: Collection[TopicPartition]) -> None:
        foreign = set(partitions) - set(self._positions)
        if foreign:
            raise ValueError(f"partitions that are not assigned to this member: {sorted(foreign)}")
