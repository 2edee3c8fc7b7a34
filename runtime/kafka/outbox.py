"""Records on their way through one producer: gathered by partition, sent in waves.

The library sends one request at a time to each broker. While one is under way, what comes in is
gathered, and goes out as the next wave as soon as that one is settled; so batches grow with the
load and nothing waits where there is none. A batch has one acknowledgement for all its records.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final

from aiokafka import AIOKafkaProducer, errors

from runtime.clock import Clock
from runtime.contracts import Settled
from runtime.errors import RejectedError, TransientError
from runtime.kafka.connection import by_fault
from runtime.partitioner import partition_of
from runtime.values import Record, TopicPartition
from schemas.reasons import DeadLetterReason

most_bytes: Final = 64 * 1024 * 1024
"""So much may be on its way; beyond it nothing is taken, because brokers do not keep up."""

_linger_s: Final = 0.001
"""A wave that follows no other waits so long for company."""

_record_overhead_bytes: Final = 600
"""Headers and what the library holds for each record; for the bound, not exact."""

_too_large: Final = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


class _Batch:
    """Records of one partition that are acknowledged together."""

    __slots__ = ("builder", "settled", "since_s", "size_bytes", "source")

    def __init__(self, source: TopicPartition, producer: AIOKafkaProducer, since_s: float) -> None:
        self.source = source
        self.builder = producer.create_batch()
        self.since_s = since_s
        self.size_bytes = 0
        self.settled: list[Settled] = []

    def add(self, record: Record, settled: Settled) -> bool:
        """Take a record, or return False where the batch is full.

        A record that is larger than a batch has one of its own.
        """
        taken = self.builder.append(
            timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
        )
        if taken is None:
            return False
        self.settled.append(settled)
        self.size_bytes += _held_bytes(record)
        return True


class Outbox:
    """Sends what is added for as long as `run` runs. Tells each record's fate exactly once."""

    def __init__(self, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._producer = producer
        self._clock = clock
        self._gathered: dict[TopicPartition, deque[_Batch]] = {}
        self._under_way: dict[_Batch, int] = {}
        self._held: dict[_Batch, None] = {}
        self._size_bytes = 0
        self._turns = 0
        self._partition_counts: dict[str, int] = {}
        self._something_to_do = asyncio.Event()
        self.failed = asyncio.Event()
        """Set once a batch was not acknowledged: the broker will refuse what follows it."""

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
        batches = self._gathered.get(source)
        if not batches or not batches[-1].add(record, settled):
            batch = _Batch(source, self._producer, self._clock.monotonic_s())
            batch.add(record, settled)
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
        wave = []
        for source in list(self._gathered):
            leader = cluster.leader_for_partition(source)
            if leader in busy or source in sent:
                continue
            batches = self._gathered[source]
            wave.append((batches.popleft(), -1 if leader is None else leader))
            if not batches:
                del self._gathered[source]
        return wave

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
            acknowledged.add_done_callback(partial(self._ended, batch))

    def _ended(self, batch: _Batch, acknowledged: "asyncio.Future[object]") -> None:
        if acknowledged.cancelled():
            self._failed(batch, errors.ProducerClosed())
        elif error := acknowledged.exception():
            self._failed(batch, error)
        else:
            self._settle(batch, None)

    def _failed(self, batch: _Batch, error: BaseException) -> None:
        self.failed.set()
        topic = batch.source.topic
        if isinstance(error, _too_large) and len(batch.settled) == 1:
            detail = f"{topic} takes no record of {batch.size_bytes} bytes"
            self._settle(batch, RejectedError(DeadLetterReason.TOO_LARGE, detail))
            return
        what = f"publish to {topic}"
        # A refusal may be the operator's fault, and the record is kept until that is mended.
        told = by_fault(what, error) if isinstance(error, errors.KafkaError) else error
        self._settle(batch, TransientError(f"{what}: {told}" if told is error else str(told)))

    def _settle(self, batch: _Batch, error: Exception | None) -> None:
        if batch not in self._held:
            return  # told already, when the outbox was closed
        del self._held[batch]
        self._under_way.pop(batch, None)
        self._size_bytes -= batch.size_bytes
        if self._gathered:
            self._something_to_do.set()
        for settled in batch.settled:
            settled(error)


def _held_bytes(record: Record) -> int:
    return len(record.value or b"") + _record_overhead_bytes
