"""Produces records, each acknowledged by all in-sync replicas, over a producer that is replaced.

The library's idempotent producer repeats by itself whatever can be repeated, in order, for as long
as it takes. What does fail leaves a hole in the sequence numbers of its partition, after which the
broker refuses everything that follows; the library never mends that. So a failed acknowledgement
ends the producer, and a task in the background puts a new one in its place; it also looks once a
second whether the brokers answer at all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaProducer, errors
from aiokafka.protocol.metadata import MetadataRequest

from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.kafka.connection import (
    answering,
    by_fault,
    connecting,
    connection_options,
    know_brokers,
)
from runtime.partitioner import partition_of
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.reasons import DeadLetterReason

_linger_ms: Final = 2
_batch_bytes: Final = 256 * 1024
_record_bytes: Final = 16 * 1024 * 1024
"""Far above what brokers take by default, which is counted after compression; they decide."""
_request_timeout_ms: Final = 5_000
"""A broker that hangs is noticed so soon; the library then asks again."""

_look_s: Final = 1.0
_probe_timeout_s: Final = 2.0
_patience_s: Final = 10.0
"""Without one success for so long, the producer itself is suspected and replaced."""
_doubt_s: Final = 1.0
"""An acknowledgement given up earlier says something of the caller, not of the brokers."""
_close_s: Final = 1.0
_first_delay_s: Final = 0.1
_longest_delay_s: Final = 5.0

_too_large: Final = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)

log = structlog.get_logger()


class KafkaPublisher(Publisher):
    """`runtime.contracts.Publisher` on real brokers. An async context manager.

    Entering returns at once, even where no broker answers: see `ready`. Records with equal keys go
    to the same partition, the one that Java's producer would choose.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str, clock: Clock) -> None:
        self._settings = settings
        self._client_id = client_id
        self._clock = clock
        self._link: _Link | None = None

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._supervisor = self._tasks.create_task(self._supervise())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; records that nobody waits for any more may be lost."""
        self._supervisor.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged."""
        return self._link is not None and self._link.answering and not self._link.doubted

    async def publish(self, record: Record) -> None:
        """Return once all in-sync replicas have the record; see `Publisher.publish`.

        The caller limits the time: brokers that are there but cannot store hold it up for ever.
        """
        link = self._link
        if link is None or not link.answering:
            raise TransientError("publish: not connected to Kafka")
        begun_s = self._clock.monotonic_s()
        try:
            await link.send(record)
        except _too_large as error:
            detail = f"{record.topic} takes no record of {_size_bytes(record)} bytes"
            raise RejectedError(DeadLetterReason.TOO_LARGE, detail) from error
        except errors.KafkaError as error:
            link.failed(begun_s)
            # A refusal may be the operator's fault, and the record is kept until that is mended.
            raise TransientError(str(by_fault(f"publish to {record.topic}", error))) from error
        except asyncio.CancelledError:
            if self._clock.monotonic_s() - begun_s >= _doubt_s:
                link.failed(begun_s)
            raise
        link.succeeded()

    async def _supervise(self) -> None:
        """Have a producer at all times."""
        failures = 0
        while True:
            try:
                async with self._connected() as link:
                    failures = 0
                    await self._watch(link)
            except (TransientError, FencedError) as error:
                log.warning("Kafka is out of reach", client=self._client_id, error=str(error))
            except ConfigurationError as error:
                # Tried again: it may be mended over there, and what is held here is not lost.
                log.error(  # noqa: TRY400 - the message says what to do, the trace would not
                    "Kafka refuses", client=self._client_id, error=str(error)
                )
            await self._clock.sleep(min(_longest_delay_s, _first_delay_s * 2**failures))
            failures = min(failures + 1, 10)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["_Link"]:
        producer = AIOKafkaProducer(
            **connection_options(self._settings),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=_linger_ms,
            max_batch_size=_batch_bytes,
            max_request_size=_record_bytes,
            request_timeout_ms=_request_timeout_ms,
        )
        try:
            async with connecting(self._settings):
                await producer.start()
                await know_brokers(producer.client)
            self._link = _Link(producer)
            log.info("connected", client=self._client_id)
            yield self._link
        finally:
            self._link = None
            await _close(producer)

    async def _watch(self, link: "_Link") -> None:
        """Return when the producer has to be replaced."""
        answered_s = self._clock.monotonic_s()
        while not link.broken.is_set():
            await link.look()
            now_s = self._clock.monotonic_s()
            if link.answering:
                answered_s = now_s
            failing_s = 0.0 if link.failing_since_s is None else now_s - link.failing_since_s
            if max(failing_s, now_s - answered_s) > _patience_s:
                log.warning("producer replaced: no success for a while", client=self._client_id)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_look_s):
                    await link.broken.wait()


class _Link:
    """One producer and what is known of it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.broken = asyncio.Event()
        self.answering = True
        self.doubted = False
        self.failing_since_s: float | None = None

    def failed(self, since_s: float) -> None:
        """Note a record that was not acknowledged."""
        self.doubted = True
        if self.failing_since_s is None:
            self.failing_since_s = since_s

    def succeeded(self) -> None:
        """Note a record that was."""
        self.doubted = False
        self.failing_since_s = None

    async def look(self) -> None:
        """See whether any broker answers, and learn what has moved."""
        answered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_probe_timeout_s):
                answered = await self._producer.client.force_metadata_update()
        self.answering = answered
        if answered:
            self.doubted = False
        if self._producer._sender.sender_task.done():  # noqa: SLF001 - told nowhere else
            self.broken.set()

    async def send(self, record: Record) -> None:
        """Send and wait for the acknowledgement.

        Raises:
            KafkaError: of any kind; where it says that the record was lost, this link is broken.
            TransientError: the topic or the partition does not exist.
        """
        partition = await self._partition(record)
        if record.key is None and record.value is None:
            acknowledged = await self._send_empty(record, partition)
        else:
            acknowledged = await self._producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                partition=partition,
                headers=list(record.headers),
            )
        try:
            await acknowledged
        except errors.KafkaError:
            self.broken.set()
            raise

    async def _send_empty(self, record: Record, partition: int | None) -> asyncio.Future[object]:
        """Send what has neither key nor value; `send` of the library will not."""
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=None, value=None, headers=list(record.headers))
        future: asyncio.Future[object] = await self._producer.send_batch(
            batch, record.topic, partition=partition or 0
        )
        return future

    async def _partition(self, record: Record) -> int | None:
        """Return the partition to send to; None leaves it to the library."""
        count = await self._partition_count(record.topic)
        if record.partition is None:
            if record.key is None:
                return None
            return partition_of(record.key, partitions=count)
        if record.partition < count:
            return record.partition
        raise TransientError(
            f"{record.topic} has no partition {record.partition}: only {count} are known"
        )

    async def _partition_count(self, topic: str) -> int:
        known = self._producer.client.cluster.partitions_for_topic(topic)
        if known is None:
            await self._learn(topic)
            known = await self._producer.partitions_for(topic)
        return len(known)

    async def _learn(self, topic: str) -> None:
        """Find out whether a topic exists, without creating it, before the library waits for it."""
        client = self._producer.client
        request = MetadataRequest([topic], allow_auto_topic_creation=False)
        try:
            async with asyncio.timeout(_probe_timeout_s):
                answer = await client.send(client.get_random_node(), request)
        except TimeoutError as error:
            raise TransientError(f"publish to {topic}: no broker answers") from error
        found = answer.to_object()["topics"][0]
        if errors.for_code(found["error_code"]) is errors.UnknownTopicOrPartitionError:
            raise TransientError(f"{topic} does not exist: `zcc topics apply` creates it")


def _size_bytes(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


async def _close(producer: AIOKafkaProducer) -> None:
    """Close, and fail what is not acknowledged, whatever the brokers are doing.

    The library would wait until all of it is.
    """
    sender = producer._sender.sender_task  # noqa: SLF001 - no other way in
    if sender is not None:
        for _ in range(2):  # the first makes it wait for what is on the way, the second no longer
            sender.cancel()
            await asyncio.wait([sender], timeout=_close_s)
        if sender.done() and not sender.cancelled():
            sender.exception()  # what it failed with has been told to those who waited
        _fail_all(producer)
    try:
        async with answering("close the producer", timeout_s=_close_s):
            await producer.stop()
    except (TransientError, FencedError, ConfigurationError) as error:
        log.warning("producer closed in haste", error=str(error))
        with suppress(TransientError, FencedError, ConfigurationError):
            async with answering("close the connections", timeout_s=_close_s):
                await producer.client.close()


def _fail_all(producer: AIOKafkaProducer) -> None:
    accumulator = producer._message_accumulator  # noqa: SLF001 - as above
    waiting = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001 - as above
    accumulator.fail_all(errors.ProducerClosed())
    for batch in waiting:
        batch._drain_waiter.exception()  # noqa: SLF001 - nobody may wait for it: not worth a log line
