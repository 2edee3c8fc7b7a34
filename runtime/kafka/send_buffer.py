"""Buffers records for one producer by partition, and sends them in rounds.

The library sends one request at a time to each broker. Records that arrive during a request are
buffered, and go out in the next round as soon as that request completes. So batches grow with the
load, and a lone record does not wait. A batch has one acknowledgement for all its records.

A refused batch is retried in halves, before all later records of its partition, until each refused
record stands alone. So a record that the topic refuses costs some round trips, and delays no other
record for good. The same happens after an unclear answer of the broker: a record that crashes the
broker's handler does not take others with it.
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

max_bytes: Final = 64 * 1024 * 1024
"""Limit of unacknowledged bytes. Beyond it no record is taken, because the brokers do not keep up.
"""

_linger_s: Final = 0.001
"""The first round after a pause waits this long for more records."""

_record_overhead_bytes: Final = 600
"""Estimate of headers and of the library's own memory for each record, for the limit."""

_max_batch_bytes: Final = 256 * 1024

_too_large: Final = frozenset({TopicLimit.MESSAGE_BYTES, TopicLimit.SEGMENT_BYTES})

_log = structlog.get_logger()


class _Entry(NamedTuple):
    """A record, and the callback that receives its result."""

    record: Record
    settled: Settled


class _Batch:
    """Records of one partition with a common acknowledgement."""

    __slots__ = ("_max_bytes", "builder", "entries", "sent", "since_s", "size_bytes", "source")

    def __init__(
        self, source: TopicPartition, producer: AIOKafkaProducer, since_s: float, max_bytes: int
    ) -> None:
        self.source = source
        self.builder = producer.create_batch()
        self.since_s = since_s
        self.size_bytes = 0
        self.entries: list[_Entry] = []
        self.sent: Sent | None = None
        self._max_bytes = max_bytes

    def add(self, entry: _Entry) -> bool:
        """Add a record, or return False where the batch is full.

        A record that is larger than a batch gets one of its own.
        """
        record = entry.record
        size_bytes = _held_bytes(record)
        if self.entries and self.size_bytes + size_bytes > self._max_bytes:
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
    """Sends added records while `run` runs. Reports each record's result exactly once."""

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
        """Age of the oldest unsettled record; 0 where there is none."""
        for batch in self._held:  # in order of creation
            return self._clock.monotonic_s() - batch.since_s
        return 0.0

    def add(self, record: Record, settled: Settled) -> None:
        """Add a record of a topic that it `knows`; ``settled`` receives the result after this call.

        Raises:
            TransientError: too many bytes are unacknowledged, or there is no such partition.
        """
        if self._size_bytes >= max_bytes:
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
        idle = True
        while True:
            await self._something_to_do.wait()
            self._something_to_do.clear()
            if idle:
                await self._clock.sleep(_linger_s)
            for batch, leader in self._next_round():
                await self._send(batch, leader)
            idle = not self._under_way

    def close(self, error: Exception) -> None:
        """Report all unsettled records as unknown."""
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

    def refresh_topics(self) -> None:
        """Take over the library's present metadata of topics."""
        self._partition_counts.clear()

    def _new_batch(self, source: TopicPartition, since_s: float) -> _Batch:
        most = self._limits.max_batch_bytes(source.topic, _max_batch_bytes)
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

    def _next_round(self) -> list[tuple[_Batch, int]]:
        """Take one batch of each partition whose broker has no request in flight."""
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
            case CodeFault.OPERATOR:  # the records stay buffered until it is repaired
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
        limit = self._limits.exceeded(topic, error.errno, record_bytes=size_bytes)
        metrics.publisher.refused.labels(limit.value).inc()
        reason = DeadLetterReason.TOO_LARGE
        if limit not in _too_large:
            reason = DeadLetterReason.REFUSED_BY_TOPIC
        advice = self._limits.describe(topic, limit)
        _log.error(
            "record refused", topic=topic, bytes=size_bytes, limit=limit.value, setting=advice
        )
        what = f"{topic} takes no record of about {size_bytes} bytes"
        return RejectedError(reason, f"{what} ({type(error).__name__}): {advice}")

    def _send_halves(self, batch: _Batch) -> None:
        """Send a batch again, in its order and before all later records of its partition."""
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
            for each in (halves if held is batch else [held])  # in order of creation
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
            return  # reported already, when the buffer was closed
        del self._held[batch]
        self._under_way.pop(batch, None)
        self._size_bytes -= batch.size_bytes
        if self._gathered:
            self._something_to_do.set()  # before anybody goes on with these results
        for entry in batch.entries:
            entry.settled(error)
        self._something_to_do.set()  # after all that follow from them


def _transient(batch: _Batch, error: BaseException) -> TransientError:
    """Return the failure. A refusal may be the operator's fault, and passes once it is repaired."""
    what = f"publish to {batch.source.topic}"
    text = by_fault(what, error) if isinstance(error, errors.KafkaError) else f"{what}: {error}"
    return TransientError(str(text))


def _held_bytes(record: Record) -> int:
    return len(record.value or b"") + _record_overhead_bytes
