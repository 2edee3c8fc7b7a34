"""Composes a worker process: clients, worker, health, signals. Processors and sinks call it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import SystemRandom

import structlog

from runtime import telemetry
from runtime.clock import Clock, SystemClock
from runtime.contracts import Handler, Sink
from runtime.garbage import settle_garbage_collection
from runtime.health import serving_health
from runtime.kafka import KafkaConsumer, KafkaPublisher
from runtime.membership import Surroundings
from runtime.ports import Consumer, RebalanceListener
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.signals import stop_event
from runtime.sink_worker import SinkWorker
from runtime.worker import Worker
from schemas.reasons import DeadLetterReason
from schemas.topics import dead_letter_topic

log = structlog.get_logger()


async def run_handler(
    handler: Handler,
    *,
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    worker: WorkerSettings,
    clock: Clock | None = None,
) -> None:
    """Run a handler over these topics until SIGTERM or SIGINT, then drain.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``.

    Raises:
        ConfigurationError: the operator has to act; the process must not end with 0.
    """
    async with _surroundings(name, topics, kafka, worker, clock or SystemClock()) as around:
        await _run(Worker(handler, around), around)


async def run_sink(
    sink: Sink,
    *,
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    worker: WorkerSettings,
    clock: Clock | None = None,
) -> None:
    """Run a sink over these topics until SIGTERM or SIGINT, then drain and close it.

    The group is ``<prefix>.<name>``, dead letters go to ``<prefix>.dead-letter.<name>.v1``.

    Raises:
        ConfigurationError: the operator has to act; the process must not end with 0.
        GivenUpError: the sink fails by a defect of ours; nothing was skipped.
    """
    async with _surroundings(name, topics, kafka, worker, clock or SystemClock()) as around:
        await _run(SinkWorker(sink, around), around)


@asynccontextmanager
async def _surroundings(
    name: str,
    topics: Sequence[str],
    kafka: KafkaSettings,
    settings: WorkerSettings,
    clock: Clock,
) -> AsyncIterator[Surroundings]:
    group = f"{kafka.topic_prefix}.{name}"
    for reason in DeadLetterReason:  # a counter that first shows up at 1 has not increased
        telemetry.worker.dead_letters.labels(name, reason.value)

    def connect(listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            kafka,
            settings,
            group=group,
            topics=topics,
            listener=listener,
            client_id=group,
            clock=clock,
        )

    async with KafkaPublisher(kafka, client_id=group, clock=clock) as publisher:
        yield Surroundings(
            name=name,
            connect=connect,
            publisher=publisher,
            dead_letter_topic=dead_letter_topic(name, prefix=kafka.topic_prefix),
            settings=settings,
            clock=clock,
            chance=SystemRandom(),
        )


async def _run(work: Worker | SinkWorker, around: Surroundings) -> None:
    settings = around.settings
    with stop_event() as stopping:
        settle_garbage_collection()
        log.info("started", worker=around.name)
        async with serving_health(
            settings.health_host,
            settings.health_port,
            alive=work.why_not_alive,
            ready=work.why_not_ready,
        ):
            await work.run(stopping)
    log.info("stopped", worker=around.name)
