"""Produces records, each acknowledged by all in-sync replicas, over a replaceable producer.

The library's idempotent producer retries every retriable error, in order and without end. After a
refused record, or a broker that may not take it at the moment, the producer continues
(`runtime.kafka.send_buffer`). Any other failure ends the producer. A background task then opens a
new one, and pings the brokers once a second.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaProducer, errors

from runtime import metrics
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.contracts import Sender, Settled
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.compression import compress_lightly
from runtime.kafka.connection import (
    by_fault,
    connecting,
    connection_options,
    know_brokers,
)
from runtime.kafka.limits import TopicLimit, TopicLimits
from runtime.kafka.producer_closing import close_producer
from runtime.kafka.send_buffer import SendBuffer
from runtime.kafka.topic_lookup import learn_topic
from runtime.retries.policy import doubled_delay_s
from runtime.settings import KafkaSettings
from runtime.values import Record

_batch_bytes: Final = 256 * 1024
_max_unresolved_records: Final = 10_000
"""Records of topics that this producer has not used yet and has to resolve."""
_request_timeout_ms: Final = 5_000
"""A hanging broker is noticed after this time; the library then retries."""

_poll_interval_s: Final = 1.0
_reached_poll_s: Final = 0.02
_probe_timeout_s: Final = 2.0
_timeout_s: Final = 10.0
"""Without one success for this long, the producer itself is suspected and replaced."""
_ack_timeout_s: Final = 1.0
"""Without an acknowledgement for this long, the next record is unlikely to get one in time."""
_first_delay_s: Final = 0.1
_max_delay_s: Final = 5.0

log = structlog.get_logger()


class KafkaPublisher(Sender):
    """`runtime.contracts.Sender` on real brokers. An async context manager.

    Entering returns at once, even where no broker answers: see `ready`. Records with equal keys go
    to the same partition, the one that Java's producer would choose.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str, clock: Clock) -> None:
        self._settings = settings
        self._client_id = client_id
        self._clock = clock
        self._link: _Link | None = None
        self._tasks = BackgroundTasks()
        for limit in TopicLimit:  # Prometheus sees no increase in a series that starts at 1
            metrics.publisher.refused.labels(limit.value)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start(self._supervise())
        return self

    async def __aexit__(self, *details: object) -> None:
        """Close. Records without a waiting caller may be lost."""
        await self._tasks.__aexit__(*details)

    @property
    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged."""
        return self._link is not None and self._link.answering and not self._link.doubted

    async def reached(self, *, within_s: float) -> bool:
        """Wait until it is ready, at most this long; return whether it is."""
        until_s = self._clock.monotonic_s() + within_s
        while not self.ready and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(_reached_poll_s)
        return self.ready

    def send(self, record: Record, settled: Settled) -> None:
        """Publish without waiting; see `runtime.contracts.Sender.send`."""
        link = self._link
        if link is None or not link.answering:
            raise TransientError("publish: not connected to Kafka")
        link.send(record, settled)

    async def publish(self, record: Record) -> None:
        """Return once all in-sync replicas have the record; see `Publisher.publish`.

        The caller limits the time: reachable brokers that cannot store block it for ever.
        """
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.send(record, partial(_resolve, acknowledged))
        await acknowledged

    async def _supervise(self) -> None:
        """Keep a producer open at all times."""
        failures = 0
        while True:
            try:
                async with self._connected() as link:
                    failures = 0
                    await self._watch(link)
            except (TransientError, FencedError) as error:
                log.warning("Kafka does not answer", client=self._client_id, error=str(error))
            except ConfigurationError as error:
                # Retried: the operator may repair the brokers, and the buffered records survive.
                log.error(  # noqa: TRY400 - the message says what to do, the trace would not
                    "Kafka refuses", client=self._client_id, error=str(error)
                )
            failures += 1
            delay_s = doubled_delay_s(failures, first_s=_first_delay_s, limit_s=_max_delay_s)
            await self._clock.sleep(delay_s)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["_Link"]:
        compress_lightly()
        producer = AIOKafkaProducer(
            **connection_options(self._settings),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=_batch_bytes,
            request_timeout_ms=_request_timeout_ms,
        )
        try:
            async with connecting(self._settings):
                await producer.start()
                await know_brokers(producer.client)
            async with _Link(producer, self._clock) as link:
                self._link = link
                log.info("connected", client=self._client_id)
                try:
                    yield link
                finally:
                    self._link = None  # first: from now on its buffer would not be sent
        finally:
            await close_producer(producer)

    async def _watch(self, link: "_Link") -> None:
        """Return when the producer has to be replaced."""
        answered_s = self._clock.monotonic_s()
        while not link.broken.is_set():
            await link.ping()
            now_s = self._clock.monotonic_s()
            if link.answering:
                answered_s = now_s
            if max(link.oldest_s, now_s - answered_s) > _timeout_s:
                log.warning(
                    "producer replaced: no acknowledgement for too long", client=self._client_id
                )
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(_poll_interval_s):
                    await link.broken.wait()
        metrics.publisher.replaced.inc()


class _Link:
    """One producer, its unacknowledged records, and its known topics."""

    def __init__(self, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._producer = producer
        self._limits = TopicLimits()
        self._outbox = SendBuffer(producer, self._limits, clock)
        self._strangers: dict[str, list[tuple[Record, Settled]]] = {}
        self._has_unresolved = asyncio.Event()
        self.broken = self._outbox.failed
        self.answering = True
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start(self._outbox.run())
        self._tasks.start(self._resolve_topics())
        self._tasks.start(self._limits.follow(self._producer.client))
        return self

    async def __aexit__(self, *details: object) -> None:
        self._outbox.close(_replaced())
        for topic in list(self._strangers):
            self._refuse(topic, _replaced())
        await self._tasks.__aexit__(*details)

    @property
    def doubted(self) -> bool:
        """Whether a record has waited too long for its acknowledgement."""
        return self._outbox.oldest_s > _ack_timeout_s

    @property
    def oldest_s(self) -> float:
        """Age of the oldest unacknowledged record."""
        return self._outbox.oldest_s

    async def ping(self) -> None:
        """Ask any broker for metadata, and take over moved partitions."""
        answered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_probe_timeout_s):
                answered = await self._producer.client.force_metadata_update()
        self.answering = answered
        self._outbox.refresh_topics()
        if self._producer._sender.sender_task.done():  # noqa: SLF001 - it has no public name
            self.broken.set()

    def send(self, record: Record, settled: Settled) -> None:
        """Send a record; see `runtime.contracts.Sender.send`."""
        if record.topic not in self._strangers and self._outbox.knows(record.topic):
            self._outbox.add(record, settled)
            return
        waiting = self._strangers.setdefault(record.topic, [])
        if len(waiting) >= _max_unresolved_records:
            raise TransientError(f"publish to {record.topic}: not known yet")
        waiting.append((record, settled))
        self._has_unresolved.set()

    async def _resolve_topics(self) -> None:
        """Resolve topics of first records, for ever."""
        while True:
            await self._has_unresolved.wait()
            self._has_unresolved.clear()
            for topic in list(self._strangers):
                try:
                    await self._resolve_topic(topic)
                except errors.KafkaError as error:
                    self._refuse(topic, TransientError(str(by_fault(f"publish to {topic}", error))))
                except TransientError as error:
                    self._refuse(topic, error)
                else:
                    self._admit(topic)

    def _admit(self, topic: str) -> None:
        for record, settled in self._strangers.pop(topic):
            try:
                self._outbox.add(record, settled)
            except TransientError as error:
                settled(error)

    def _refuse(self, topic: str, error: TransientError) -> None:
        for _, settled in self._strangers.pop(topic):
            settled(error)

    async def _resolve_topic(self, topic: str) -> None:
        """Find out whether a topic exists, without creating it, before the library waits for it."""
        await learn_topic(self._producer, topic)
        if not self._outbox.knows(topic):
            raise TransientError(f"publish to {topic}: its partitions are not known yet")


def _replaced() -> TransientError:
    return TransientError("publish: the producer was replaced")


def _resolve(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return  # the caller waits no longer
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
