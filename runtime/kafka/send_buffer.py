"""Records on their way through one producer: gathered by partition, sent in waves.

The library sends one request at a time to each broker. While one is under way, what comes in is
gathered, and goes out as the next wave as soon as that one is settled; so batches grow with the
load and nothing waits where there is none. A batch has one acknowledgement for all its records.

A batch that the topic refuses is sent again in halves, before all that came later to its partition,
until each refused record stands alone. So one record that the topic does not take costs some
round trips and no other record anything. The same is done where the broker's answer does not say
what happened: a record that brings a broker to that hurts no other either.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Final, NamedTuple, assert_never

import structlog
from aiokafka import AIOKafkaProducer, errors

from runtime import metrics
from runtime.clock import Clock
from runtime.contracts import Settled
from runtime.errors import RejectedError, TransientError
from runtime.kafka.connection import by_fault
from runtime.kafka.error_codes import CodeFault, fault_of
from runtime.kafka.limits import TopicLimit, TopicLimits
from runtime.kafka.sequences import Sent, Sequences
from runtime.partitioner import partition_of
from runtime.values import Record, TopicPartition
from schemas.reasons import DeadLetterReason

most_bytes: Final = 64 * 1024 * 1024
"""So much may be on its way; beyond it nothing is taken, because brokers do not keep up."""

_linger_s: Final = 0.001
"""A wave that follows no other waits so long for company."""

_record_overhead_bytes: Final = 600
"""Headers and what the library holds for each record; for the bound, not exact."""

_most_batch_bytes: Final = 256 * 1024

_too_large: Final = frozenset({TopicLimit.MESSAGE_BYTES, TopicLimit.SEGMENT_BYTES})

_log = structlog.get_logger()


class _Entry(NamedTuple):
    """A record, and who is told of its fate."""

    record: Record
    settled: Settled


class _Batch:
    """Records of one partition that are acknowledged together."""

    __slots__ = ("_most_bytes", "builder", "entries", "sent", "since_s", "size_bytes", "source")

    def __init__(
        self, source: TopicPartition, producer: AIOKafkaProducer, since_s: float, most_bytes: int
    ) -> None:
        self.source = source
        self.builder = producer.create_batch()
        self.since_s = since_s
        self.size_bytes = 0
        self.entries: list[_Entry] = []
        self.sent: Sent | None = None
        self._most_bytes = most_bytes

    def add(self, entry: _Entry) -> bool:
        """Take a record, or return False where the batch is full.

        A record that is larger than a batch has one of its own.
        """
        record = entry.record
        size_bytes = _held_bytes(record)
        if self.entries and self.size_bytes + size_bytes > self._most_bytes:
            return False
        taken = self.builder.append(
            timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
        )
        if taken is None:
            return False
        self.entries.append(entry)
        self.size_bytes += size_bytes
        return True


class SendBuffer:
    """Sends what is added for as long as `run` runs. Tells each record's fate exactly once."""

    def __init__(self, producer: AIOKafkaProducer, limits: TopicLimits, clock: Clock) -> None:
        self._producer = producer
        self._limits = limits
        self._sequences = Sequences(producer)
        self._clock = clock
        self._gathered: dict[TopicPartition, deque[_Batch]] = {}
        self._under_way: dict[_Batch, int] = {}
        self._held: dict[_Batch, None] = {}
        self._size_bytes = 0
        self._turns = 0
        self._partition_counts: dict[str, int] = {}
        self._something_to_do = asyncio.Event()
        self.failed = asyncio.Event()
        """Set once a batch has failed in a way that leaves the producer of no more use."""

    @property
    def oldest_s(self) -> float:
        """Age of the oldest record that is not settled; 0 where there is none."""
        for batch in self._held:  # in the order of their making
            return self._clock.monotonic_s() - batch.since_s
        return 0.0

    def add(self, record: Record, settled: Settled) -> None:
        """Take a record whose topic it `knows`; ``settled`` is told of its fate, never from here.

        Raises:
            TransientError: too much is on its way, or there is no such partition.
        """
        if self._size_bytes >= most_bytes:
            raise TransientError("publish: too much waits to be acknowledged")
        source = self._source(record)
        entry = _Entry(record, settled)
        batches = self._gathered.get(source)
        if not batches or not batches[-1].add(entry):
            batch = self._new_batch(source, self._clock.monotonic_s())
            batch.add(entry)
            self._gathered.setdefault(source, deque()).append(batch)
            self._held[batch] = None
            self._something_to_do.set()
        self._size_bytes += _held_bytes(record)

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._something_to_do.wait()
            self._something_to_do.clear()
            await self._clock.sleep(_linger_s)
            for batch, leader in self._wave():
                await self._send(batch, leader)

    def close(self, error: Exception) -> None:
        """Tell all that is not settled yet that nobody knows its fate."""
        for batch in list(self._held):
            self._settle(batch, error)

    def knows(self, topic: str) -> bool:
        """Whether records of this topic can be added."""
        if topic in self._partition_counts:
            return True
        known = self._producer.client.cluster.partitions_for_topic(topic)
        if known:
            self._partition_counts[topic] = len(known)
        return bool(known)

    def look_again(self) -> None:
        """Take what the library has learnt of topics since."""
        self._partition_counts.clear()

    def _new_batch(self, source: TopicPartition, since_s: float) -> _Batch:
        most = self._limits.most_bytes(source.topic, _most_batch_bytes)
        return _Batch(source, self._producer, since_s, most)

    def _source(self, record: Record) -> TopicPartition:
        topic, partition = record.topic, record.partition
        count = self._partition_counts[topic]
        if partition is None:
            if record.key is not None:
                return TopicPartition(topic, partition_of(record.key, partitions=count))
            self._turns += 1
            return TopicPartition(topic, self._turns % count)
        if partition >= count:
            raise TransientError(f"{topic} has no partition {partition}: only {count} are known")
        return TopicPartition(topic, partition)

    def _wave(self) -> list[tuple[_Batch, int]]:
        """Take one batch of each partition whose broker has nothing under way."""
        cluster = self._producer.client.cluster
        busy = set(self._under_way.values())
        sent = {batch.source for batch in self._under_way}
        send_round = []
        for source in list(self._gathered):
            leader = cluster.leader_for_partition(source)
            if leader in busy or source in sent:
                continue
            batches = self._gathered[source]
            send_round.append((batches.popleft(), -1 if leader is None else leader))
            if not batches:
                del self._gathered[source]
        return send_round

    async def _send(self, batch: _Batch, leader: int) -> None:
        self._under_way[batch] = leader
        batch.builder.close()
        topic, partition = batch.source
        try:
            acknowledged = await self._producer.send_batch(
                batch.builder, topic, partition=partition
            )
        except errors.KafkaError as error:
            self._failed(batch, error)
        else:
            batch.sent = self._sequences.sent(batch.source)
            acknowledged.add_done_callback(partial(self._ended, batch))

    def _ended(self, batch: _Batch, acknowledged: "asyncio.Future[object]") -> None:
        if acknowledged.cancelled():
            self._failed(batch, errors.ProducerClosed())
        elif error := acknowledged.exception():
            self._failed(batch, error)
        else:
            self._settle(batch, None)

    def _failed(self, batch: _Batch, error: BaseException) -> None:
        if batch.sent is None or not isinstance(error, errors.BrokerResponseError):
            self._break(batch, error)
            return
        match fault_of(error.errno):
            case CodeFault.RECORD:
                self._sequences.refused(batch.sent)
                if len(batch.entries) == 1:
                    self._settle(batch, self._refusal(batch, error))
                else:
                    self._send_halves(batch)
            case CodeFault.OPERATOR:  # the records are kept until it is mended
                self._sequences.refused(batch.sent)
                self._settle(batch, _transient(batch, error))
            case CodeFault.UNKNOWN | CodeFault.REQUEST | CodeFault.MEMBER:
                self._sequences.renew()
                if len(batch.entries) == 1:
                    self._settle(batch, _transient(batch, error))
                else:
                    self._send_halves(batch)
            case CodeFault.BROKER:
                self._sequences.renew()
                self._settle(batch, _transient(batch, error))
            case CodeFault.PRODUCER:
                self._break(batch, error)
            case never:
                assert_never(never)

    def _break(self, batch: _Batch, error: BaseException) -> None:
        self.failed.set()
        self._settle(batch, _transient(batch, error))

    def _refusal(self, batch: _Batch, error: errors.BrokerResponseError) -> RejectedError:
        topic, size_bytes = batch.source.topic, batch.size_bytes
        limit = self._limits.passed(topic, error.errno, record_bytes=size_bytes)
        metrics.publisher.refused.labels(limit.value).inc()
        reason = DeadLetterReason.TOO_LARGE
        if limit not in _too_large:
            reason = DeadLetterReason.REFUSED_BY_TOPIC
        told = self._limits.told(topic, limit)
        _log.error("record refused", topic=topic, bytes=size_bytes, limit=limit.value, setting=told)
        what = f"{topic} takes no record of about {size_bytes} bytes"
        return RejectedError(reason, f"{what} ({type(error).__name__}): {told}")

    def _send_halves(self, batch: _Batch) -> None:
        """Send a batch again, in its order and before what came later to its partition."""
        middle = (len(batch.entries) + 1) // 2
        halves = [
            part
            for entries in (batch.entries[:middle], batch.entries[middle:])
            for part in self._batches_of(entries, like=batch)
        ]
        gathered = self._gathered.setdefault(batch.source, deque())
        gathered.extendleft(reversed(halves))
        self._held = dict.fromkeys(
            each
            for held in self._held
            for each in (halves if held is batch else [held])  # in the order of their making
        )
        self._under_way.pop(batch, None)
        self._something_to_do.set()

    def _batches_of(self, entries: Iterable[_Entry], *, like: _Batch) -> list[_Batch]:
        batches: list[_Batch] = []
        for entry in entries:
            if not batches or not batches[-1].add(entry):
                batches.append(self._new_batch(like.source, like.since_s))
                batches[-1].add(entry)
        return batches

    def _settle(self, batch: _Batch, error: Exception | None) -> None:
        if batch not in self._held:
            return  # told already, when the outbox was closed
        del self._held[batch]
        self._under_way.pop(batch, None)
        self._size_bytes -= batch.size_bytes
        if self._gathered:
            self._something_to_do.set()
        for entry in batch.entries:
            entry.settled(error)


def _transient(batch: _Batch, error: BaseException) -> TransientError:
    """Return the failure; a refusal may be the operator's fault, and passes once it is mended."""
    what = f"publish to {batch.source.topic}"
    told = by_fault(what, error) if isinstance(error, errors.KafkaError) else f"{what}: {error}"
    return TransientError(str(told))


def _held_bytes(record: Record) -> int:
    return len(record.value or b"") + _record_overhead_bytes
