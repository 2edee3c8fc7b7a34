"""Produces records, each acknowledged by all in-sync replicas, over a producer that is replaced.

The library's idempotent producer repeats by itself whatever can be repeated, in order, for as long
as it takes. Where a broker refuses a record, or may not take it now, the producer goes on
(`runtime.kafka.send_buffer`). Whatever else fails ends the producer, and a task in the background
puts a new one in its place; it also looks once a second whether the brokers answer at all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import TracebackType
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
from runtime.settings import KafkaSettings
from runtime.values import Record

_batch_bytes: Final = 256 * 1024
_most_strangers: Final = 10_000
"""Records of a topic that this producer has not met yet and asks for."""
_request_timeout_ms: Final = 5_000
"""A broker that hangs is noticed so soon; the library then asks again."""

_poll_interval_s: Final = 1.0
_reached_look_s: Final = 0.02
_probe_timeout_s: Final = 2.0
_timeout_s: Final = 10.0
"""Without one success for so long, the producer itself is suspected and replaced."""
_doubt_s: Final = 1.0
"""So long without an acknowledgement, the next record is not likely to get one in time."""
_first_delay_s: Final = 0.1
_longest_delay_s: Final = 5.0

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
        for limit in TopicLimit:  # a counter that first shows up at 1 has not increased
            metrics.publisher.refused.labels(limit.value)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start(self._supervise())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; records that nobody waits for any more may be lost."""
        await self._tasks.__aexit__(kind, error, trace)

    @property
    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged."""
        return self._link is not None and self._link.answering and not self._link.doubted

    async def reached(self, *, within_s: float) -> bool:
        """Wait until it is ready, for so long at most; return whether it is."""
        until_s = self._clock.monotonic_s() + within_s
        while not self.ready and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(_reached_look_s)
        return self.ready

    def send(self, record: Record, settled: Settled) -> None:
        """Publish without waiting; see `runtime.contracts.Sender.send`."""
        link = self._link
        if link is None or not link.answering:
            raise TransientError("publish: not connected to Kafka")
        link.send(record, settled)

    async def publish(self, record: Record) -> None:
        """Return once all in-sync replicas have the record; see `Publisher.publish`.

        The caller limits the time: brokers that are there but cannot store hold it up for ever.
        """
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.send(record, partial(_tell, told))
        await told

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
                    self._link = None  # first: what its outbox takes from now on nobody sends
        finally:
            await close_producer(producer)

    async def _watch(self, link: "_Link") -> None:
        """Return when the producer has to be replaced."""
        answered_s = self._clock.monotonic_s()
        while not link.broken.is_set():
            await link.look()
            now_s = self._clock.monotonic_s()
            if link.answering:
                answered_s = now_s
            if max(link.oldest_s, now_s - answered_s) > _timeout_s:
                log.warning("producer replaced: no success for a while", client=self._client_id)
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(_poll_interval_s):
                    await link.broken.wait()
        metrics.publisher.replaced.inc()


class _Link:
    """One producer, what is on its way through it, and what is known of it."""

    def __init__(self, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._producer = producer
        self._limits = TopicLimits()
        self._outbox = SendBuffer(producer, self._limits, clock)
        self._strangers: dict[str, list[tuple[Record, Settled]]] = {}
        self._somebody_strange = asyncio.Event()
        self.broken = self._outbox.failed
        self.answering = True
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start(self._outbox.run())
        self._tasks.start(self._introduce())
        self._tasks.start(self._limits.follow(self._producer.client))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._outbox.close(_replaced())
        for topic in list(self._strangers):
            self._refuse(topic, _replaced())
        await self._tasks.__aexit__(kind, error, trace)

    @property
    def doubted(self) -> bool:
        """Whether something has been waiting for its acknowledgement for too long."""
        return self._outbox.oldest_s > _doubt_s

    @property
    def oldest_s(self) -> float:
        """For how long."""
        return self._outbox.oldest_s

    async def look(self) -> None:
        """See whether any broker answers, and learn what has moved."""
        answered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_probe_timeout_s):
                answered = await self._producer.client.force_metadata_update()
        self.answering = answered
        self._outbox.look_again()
        if self._producer._sender.sender_task.done():  # noqa: SLF001 - told nowhere else
            self.broken.set()

    def send(self, record: Record, settled: Settled) -> None:
        """Put on its way; see `runtime.contracts.Sender.send`."""
        if record.topic not in self._strangers and self._outbox.knows(record.topic):
            self._outbox.add(record, settled)
            return
        waiting = self._strangers.setdefault(record.topic, [])
        if len(waiting) >= _most_strangers:
            raise TransientError(f"publish to {record.topic}: not known yet")
        waiting.append((record, settled))
        self._somebody_strange.set()

    async def _introduce(self) -> None:
        """Learn topics that nothing was sent to before, for ever."""
        while True:
            await self._somebody_strange.wait()
            self._somebody_strange.clear()
            for topic in list(self._strangers):
                try:
                    await self._learn(topic)
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

    async def _learn(self, topic: str) -> None:
        """Find out whether a topic exists, without creating it, before the library waits for it."""
        await learn_topic(self._producer, topic)
        if not self._outbox.knows(topic):
            raise TransientError(f"publish to {topic}: its partitions are not known yet")


def _replaced() -> TransientError:
    return TransientError("publish: the producer was replaced")


def _tell(told: asyncio.Future[None], error: Exception | None) -> None:
    if told.done():
        return  # nobody waits any more
    if error is None:
        told.set_result(None)
    else:
        told.set_exception(error)
