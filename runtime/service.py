"""Composes a worker process: clients, worker, health, signals. Processors and sinks call it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from random import SystemRandom
from typing import Final

import structlog

from runtime import metrics
from runtime.clock import Clock, SystemClock
from runtime.contracts import Handler, Poller, Prepared, Sink
from runtime.errors import RestartNeededError
from runtime.handlers.delayed_consumer import Delayed, DelayedConsumer
from runtime.handlers.worker import Worker
from runtime.kafka import (
    KafkaConsumer,
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
from runtime.process.gc_tuning import for_batches, for_requests, tune_gc
from runtime.process.health import serving_health
from runtime.process.signals import stop_event
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.retries.retry_topics import RetryTopic, RetryTopics
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.sinks.worker import SinkWorker
from runtime.values import Delivery
from runtime.worker.failing_steps import FailingSteps
from runtime.worker.membership import MembershipContext, WorkerContext
from schemas.topics import (
    dead_letter_audit_topic,
    dead_letter_topic,
    retry_topic,
    watermark_topic,
)

_delayed_part: Final = 8
"""Of what a worker may hold, the reader of what it put off has the eighth part."""

_letters_factor: Final = 2
"""So many times the records that the guard counts are read of each partition of dead letters."""
_audit_factor: Final = 5
"""So many times more lines are read of what people did about letters, those of all workers."""

log = structlog.get_logger()


async def run_handler(  # noqa: PLR0913 - what a worker is made of
    handler: Handler,
    *,
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    worker: WorkerSettings,
    produces: Sequence[str] = (),
    delays_s: Sequence[int] = (),
    on_share_changed: Callable[[MemberShare | None], None] | None = None,
) -> None:
    """Run a handler over these topics until SIGTERM or SIGINT, then drain.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``. What
    the handler answers `Deferred` to waits in ``<prefix>.retry.<name>.<delay>.v1`` for each of
    ``delays_s`` in turn, and is read from there by the group ``<prefix>.<name>-retry``. While one
    of the topics that it reads or ``produces`` to does not exist, it halts and says so.

    ``on_share_changed`` receives each new share of this member in the first of these groups, and
    None when the member loses it; see `KafkaConsumer`.

    Raises:
        ConfigurationError: the health address is taken, or the work had halted when it was told to
            end; the process must not end with 0.
    """
    main, second = _divided(worker) if delays_s else (worker, worker)
    async with _surroundings(name, topics, kafka, main, produces, on_share_changed) as context:
        delayed = _delayed(context, kafka, second, delays_s) if delays_s else None
        await _run(Worker(handler, context, delayed), context)


async def run_sink(
    sink: Sink[Prepared],
    *,
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Run a sink over these topics until SIGTERM or SIGINT, then drain and close it.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``.

    Raises:
        ConfigurationError: the health address is taken, or the work had halted when it was told to
            end; the process must not end with 0.
        RetriesExhaustedError: as well, for a defect of the sink; nothing was skipped.
    """
    async with _surroundings(name, topics, kafka, worker) as context:
        await _run(SinkWorker(sink, context), context)


async def run_poller(
    poller: Poller,
    *,
    name: str,
    kafka: KafkaSettings,
    worker: WorkerSettings,
    produces: Sequence[str] = (),
) -> None:
    """Run a poller until SIGTERM or SIGINT, then drain.

    The group and the transactional id are ``<prefix>.<name>``, the watermarks are kept in
    ``<prefix>.watermarks.<name>.v1``. While that or one of the topics that it ``produces`` to does
    not exist, it halts and says so.

    Raises:
        ConfigurationError: the health address is taken, or the work had halted when it was told to
            end; the process must not end with 0.
    """
    clock, group = SystemClock(), _group(kafka, name)
    topic = watermark_topic(name, prefix=kafka.topic_prefix)
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
        check=partial(require_topics, kafka, (topic, *produces)),
    )
    store = WatermarkStore(topic, read, partial(transactions, kafka, transactional_id=group))
    await _run(PollerWorker(poller, store, context), context)


@asynccontextmanager
async def _surroundings(
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    settings: WorkerSettings,
    produces: Sequence[str] = (),
    on_share_changed: Callable[[MemberShare | None], None] | None = None,
) -> AsyncIterator[WorkerContext]:
    clock, group = SystemClock(), _group(kafka, name)
    metrics.begin_worker(name, topics=topics)
    letters = dead_letter_topic(name, prefix=kafka.topic_prefix)
    async with KafkaPublisher(kafka, client_id=group, clock=clock) as publisher:
        yield WorkerContext(
            name=name,
            connect=_connecting(group, topics, kafka, settings, clock, on_share_changed),
            publisher=publisher,
            dead_letter_topic=letters,
            settings=settings,
            clock=clock,
            rng=SystemRandom(),
            check=partial(require_topics, kafka, (*topics, *produces)),
            dead_letter_history=partial(_past_letters, kafka, letters, settings.guard_records),
        )


async def _past_letters(kafka: KafkaSettings, letters: str, records: int) -> DeadLetterHistory:
    last = _letters_factor * records
    audit = dead_letter_audit_topic(prefix=kafka.topic_prefix)
    return DeadLetterHistory(
        letters=await latest(kafka, letters, records=last),
        audit=await latest(kafka, audit, records=_audit_factor * last),
    )


def _delayed(
    context: WorkerContext, kafka: KafkaSettings, settings: WorkerSettings, delays_s: Sequence[int]
) -> Delayed:
    """Return the second group of a worker, which reads what it put off."""
    name, clock = f"{context.name}-retry", context.clock
    delays = RetryTopics(
        [
            RetryTopic(retry_topic(context.name, delay_s, prefix=kafka.topic_prefix), delay_s)
            for delay_s in delays_s
        ]
    )
    topics = tuple(delays.delays_s)
    metrics.begin_worker(name, topics=topics)
    connect = _connecting(_group(kafka, name), topics, kafka, settings, clock)

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
    """Divide what a worker may hold between what it reads first and what it put off."""
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


def _group(kafka: KafkaSettings, name: str) -> str:
    return f"{kafka.topic_prefix}.{name}"


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


async def _run(
    work: Worker | SinkWorker[Prepared] | PollerWorker, context: MembershipContext
) -> None:
    settings, halt = context.settings, _Halt(work)
    halted = metrics.worker.halted.labels(context.name)
    metrics.process.started.labels(context.name).set(context.clock.now().timestamp())
    with stop_event() as stopping:
        tune_gc(for_batches if isinstance(work, SinkWorker) else for_requests)
        log.info("started", worker=context.name)
        async with serving_health(
            settings.health_host,
            settings.health_port,
            alive=halt.liveness_problem,
            ready=halt.readiness_problem,
            remarks=work.remarks,
        ):
            try:
                await work.run(stopping)
            except RestartNeededError as error:
                halt.reason = str(error)
                halted.set(1)
                log.error("halted", worker=context.name, reason=halt.reason)  # noqa: TRY400 - no defect
                await stopping.wait()
                raise
    log.info("stopped", worker=context.name)


class _Halt:
    """Whether the work has stopped until a person starts the process again.

    The process then stays, not ready, until it is told to stop: an orchestrator would start it
    again at once, and each new one would do the same harm. So it can also be asked for the figure
    that raises the alarm.
    """

    def __init__(self, work: Worker | SinkWorker[Prepared] | PollerWorker) -> None:
        self._work = work
        self.reason: str | None = None

    def liveness_problem(self) -> str | None:
        return None if self.reason else self._work.liveness_problem()

    def readiness_problem(self) -> str | None:
        return self.reason or self._work.readiness_problem()
