"""Composes a worker process: clients, worker, health, signals. Processors and sinks call it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from random import SystemRandom
from typing import Final

from runtime import metrics
from runtime.clock import Clock, SystemClock
from runtime.component import Component
from runtime.contracts import Handler, Poller, Prepared, Sink
from runtime.handlers.delayed_consumer import Delayed, DelayedConsumer
from runtime.handlers.worker import Worker
from runtime.kafka import (
    KafkaConsumer,
    KafkaLogReader,
    KafkaPublisher,
    latest,
    read_all,
    require_topics,
    transactions,
)
from runtime.member_share import MemberShare
from runtime.pollers.tenure import WatermarkStore
from runtime.pollers.worker import PollerWorker
from runtime.ports import Consumer, RebalanceListener
from runtime.process.gc_tuning import for_batches, for_requests
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.retries.retry_topics import RetryTopic, RetryTopics
from runtime.running import run_work
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.sinks.worker import SinkWorker
from runtime.tables.follower import FollowedTable, TableFollower
from runtime.tables.following import FollowedTables
from runtime.values import Delivery
from runtime.worker.failing_steps import FailingSteps
from runtime.worker.membership import MembershipContext, WorkerContext
from schemas.topics import dead_letter_audit_topic, watermark_topic

_delayed_part: Final = 8
"""The second group of a worker gets one eighth of what the worker may hold."""

_history_factor: Final = 2
"""Dead letters read per partition, as a multiple of the records that the guard counts."""
_audit_factor: Final = 5
"""Audit lines read per dead letter: those of all workers stand in one topic."""


async def run_handler(
    handler: Handler,
    component: Component,
    *,
    kafka: KafkaSettings,
    worker: WorkerSettings,
    tables: Sequence[FollowedTable] = (),
    on_share_changed: Callable[[MemberShare | None], None] | None = None,
) -> None:
    """Run a handler over the topics that the component reads until SIGTERM or SIGINT, then drain.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``. A
    deferred delivery waits in ``<prefix>.retry.<name>.<delay>.v1`` for each of the component's
    delays in turn; the group ``<prefix>.<name>-retry`` reads these topics. While a topic that the
    component reads or writes does not exist, the worker halts and names it, unless it is that of a
    table.

    ``on_share_changed`` receives each new share of this member in the first of these groups, and
    None when the member loses it; see `KafkaConsumer`.

    It joins its groups once the ``tables`` have caught up, or make no progress for
    ``ZCC_WORKER_TABLES_WAIT_S``; it is ready only once they have.

    Raises:
        ConfigurationError: the health address is taken, or the worker had halted before it was
            stopped; the process must not end with 0.
    """
    divide = bool(component.retry_delays_s)
    main, second = _divided(worker) if divide else (worker, worker)
    async with _worker_context(component, kafka, main, tables, on_share_changed) as context:
        delayed = _delayed(component, context, kafka, second) if divide else None
        followed = _followed(tables, context, kafka)
        make = partial(Worker, handler, context, delayed)
        await run_work(make, context, followed, new_objects=for_requests)


async def run_sink(
    sink: Sink[Prepared], component: Component, *, kafka: KafkaSettings, worker: WorkerSettings
) -> None:
    """Run a sink over the topics that the component reads until SIGTERM or SIGINT, then drain.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``. The
    sink is closed at the end.

    Raises:
        ConfigurationError: the health address is taken, or the worker had halted before it was
            stopped; the process must not end with 0.
        RetriesExhaustedError: as well, for a defect of the sink; nothing was skipped.
    """
    async with _worker_context(component, kafka, worker) as context:
        followed = _followed((), context, kafka)
        make = partial(SinkWorker, sink, context)
        await run_work(make, context, followed, new_objects=for_batches)


async def run_poller(
    poller: Poller,
    component: Component,
    *,
    kafka: KafkaSettings,
    worker: WorkerSettings,
    tables: Sequence[FollowedTable] = (),
) -> None:
    """Run a poller until SIGTERM or SIGINT, then drain.

    The group and the transactional id are ``<prefix>.<name>``, the watermarks are kept in
    ``<prefix>.watermarks.<name>.v1``. While that topic or one that the component writes does not
    exist, the worker halts and names it. The ``tables`` are as those of `run_handler`.

    Raises:
        ConfigurationError: the health address is taken, or the worker had halted before it was
            stopped; the process must not end with 0.
    """
    name, prefix, clock = component.name, kafka.topic_prefix, SystemClock()
    group, topic = component.group(prefix=prefix), watermark_topic(name, prefix=prefix)
    metrics.begin_worker(name, topics=[topic])
    metrics.begin_poller(name, poller.feeds)

    async def read() -> Sequence[Delivery]:
        return [delivery async for delivery in read_all(kafka, [topic])]

    context = MembershipContext(
        name=name,
        connect=_connecting(group, [topic], kafka, worker, clock),
        settings=worker,
        clock=clock,
        rng=SystemRandom(),
        check=partial(require_topics, kafka, (topic, *component.writes(prefix=prefix))),
    )
    store = WatermarkStore(topic, read, partial(transactions, kafka, transactional_id=group))
    make = partial(PollerWorker, poller, store, context)
    followed = _followed(tables, context, kafka)
    await run_work(make, context, followed, new_objects=for_requests)


@asynccontextmanager
async def _worker_context(
    component: Component,
    kafka: KafkaSettings,
    settings: WorkerSettings,
    tables: Sequence[FollowedTable] = (),
    on_share_changed: Callable[[MemberShare | None], None] | None = None,
) -> AsyncIterator[WorkerContext]:
    name, prefix, clock = component.name, kafka.topic_prefix, SystemClock()
    group, topics = component.group(prefix=prefix), component.reads(prefix=prefix)
    dead_letters = component.dead_letter_topic(prefix=prefix)
    required = {*topics, *component.writes(prefix=prefix)} - {each.topic for each in tables}
    metrics.begin_worker(name, topics=topics)
    async with KafkaPublisher(kafka, client_id=group, clock=clock) as publisher:
        yield WorkerContext(
            name=name,
            connect=_connecting(group, topics, kafka, settings, clock, on_share_changed),
            publisher=publisher,
            dead_letter_topic=dead_letters,
            settings=settings,
            clock=clock,
            rng=SystemRandom(),
            check=partial(require_topics, kafka, required),
            dead_letter_history=partial(
                _dead_letter_history, kafka, dead_letters, settings.guard_records
            ),
        )


def _followed(
    tables: Sequence[FollowedTable], context: MembershipContext, kafka: KafkaSettings
) -> FollowedTables:
    name, clock = context.name, context.clock
    followers = []
    for followed in tables:
        metrics.begin_table(name, followed.topic)
        connect = partial(KafkaLogReader, kafka, followed.topic, client_id=name, clock=clock)
        followers.append(
            TableFollower(followed, connect, worker=name, clock=clock, rng=context.rng)
        )
    return FollowedTables(followers, worker=name, clock=clock)


async def _dead_letter_history(
    kafka: KafkaSettings, topic: str, guard_records: int
) -> DeadLetterHistory:
    records = _history_factor * guard_records
    audit = dead_letter_audit_topic(prefix=kafka.topic_prefix)
    return DeadLetterHistory(
        letters=await latest(kafka, topic, records=records),
        audit=await latest(kafka, audit, records=_audit_factor * records),
    )


def _delayed(
    component: Component, context: WorkerContext, kafka: KafkaSettings, settings: WorkerSettings
) -> Delayed:
    """Return the second group of a worker, which reads the deferred records."""
    name, clock = f"{component.name}-retry", context.clock
    topics = component.retry_topics(prefix=kafka.topic_prefix)
    delays = RetryTopics(list(map(RetryTopic, topics, component.retry_delays_s)))
    metrics.begin_worker(name, topics=topics)
    group = f"{component.group(prefix=kafka.topic_prefix)}-retry"
    connect = _connecting(group, topics, kafka, settings, clock)

    def connect_held_back(listener: RebalanceListener) -> Consumer:
        return DelayedConsumer(connect, listener, delays=delays, clock=clock)

    return Delayed(
        delays,
        replace(
            context,
            name=name,
            connect=connect_held_back,
            settings=settings,
            check=partial(require_topics, kafka, topics),
            steps=FailingSteps(),
        ),
    )


def _divided(worker: WorkerSettings) -> tuple[WorkerSettings, WorkerSettings]:
    """Divide what a worker may hold between its first group and that of deferred records."""
    size_bytes = worker.in_flight_bytes // _delayed_part
    second = {
        "in_flight_bytes": size_bytes,
        "in_flight_records": max(1, worker.in_flight_records // _delayed_part),
        "concurrency": max(1, worker.concurrency // _delayed_part),
    }
    return (
        worker.model_copy(update={"in_flight_bytes": worker.in_flight_bytes - size_bytes}),
        worker.model_copy(update=second),
    )


def _connecting(
    group: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    settings: WorkerSettings,
    clock: Clock,
    on_share_changed: Callable[[MemberShare | None], None] | None = None,
) -> Callable[[RebalanceListener], Consumer]:
    def connect(listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            kafka,
            settings,
            group=group,
            topics=topics,
            listener=listener,
            client_id=group,
            clock=clock,
            on_share_changed=on_share_changed,
        )

    return connect
