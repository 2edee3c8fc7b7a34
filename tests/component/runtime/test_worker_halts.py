"""What only a person can mend halts a worker, which stays, says why, and goes on once it is."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import KafkaPublisher
from runtime.service import run_handler, run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, Record, Resume, TopicPartition
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink
from tests.support.components import component_of
from tests.support.fakes.sinks import RecordingSink
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres_proxy import proxied
from tests.support.projections import event
from tests.support.services import create_topics, ends_with, probed, produce


def settings_of(port: int) -> WorkerSettings:
    return WorkerSettings(
        health_host="127.0.0.1", health_port=port, commit_interval_s=0.1, session_timeout_s=6
    )


async def test_a_processor_whose_output_topic_is_missing_says_so_at_once_and_goes_on_once_it_exists(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    kafka, port = kafka_settings, unused_tcp_port
    source, _ = await create_topics(kafka, "in", "dead-letter.test")
    missing = f"{kafka.topic_prefix}.out.v1"
    await produce(kafka, source, [b"1"])

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return (Record(missing, delivery.key, delivery.value),)

    work = run_handler(
        handler,
        component_of("test", [source], writes=[missing]),
        kafka=kafka,
        worker=settings_of(port),
    )
    async with probed(work, port) as worker:
        await worker.until_readyz(503, "halted", f"topics that do not exist: {missing}")
        assert (await worker.ask("/healthz"))[0] == 200
        assert await worker.figure("zcc_worker_halted") == 1
        await create_topics(kafka, "out")
        await worker.until_readyz(200, "ok")
        await worker.until_figure("zcc_worker_records_total", 1)
        while await worker.figure("zcc_worker_halted"):
            await asyncio.sleep(0.1)


async def test_a_worker_that_is_stopped_while_halted_ends_with_an_error(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    missing = f"{kafka_settings.topic_prefix}.in.v1"
    work = run_sink(
        RecordingSink(),
        component_of("test", [missing]),
        kafka=kafka_settings,
        worker=settings_of(unused_tcp_port),
    )
    async with ends_with(
        ConfigurationError, f"do not exist: {missing}", work, unused_tcp_port
    ) as w:
        await w.until_readyz(503, missing)


class NotSetUp(RecordingSink):
    """A sink whose store has to be set up by a person first."""

    def __init__(self) -> None:
        super().__init__()
        self.set_up = False
        self.answers = False

    async def __aenter__(self) -> Self:
        if not self.answers:
            raise TransientError("the store does not answer")
        return self

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        if not self.set_up:
            raise ConfigurationError("the tables are missing: run zcc migrate")
        return await super().assigned(assignment)


async def test_a_store_that_is_away_and_then_not_set_up_is_waited_for(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    kafka, port = kafka_settings, unused_tcp_port
    (source,) = await create_topics(kafka, "in")
    await produce(kafka, source, [b"1"])
    sink = NotSetUp()
    work = run_sink(sink, component_of("test", [source]), kafka=kafka, worker=settings_of(port))
    async with probed(work, port) as worker:
        await worker.until_readyz(
            503, "open has failed for", "(transient): the store does not answer"
        )
        sink.answers = True
        await worker.until_readyz(503, "halted", "run zcc migrate")
        assert await worker.figure("zcc_worker_halted") == 1
        sink.set_up = True
        await worker.until_readyz(200, "ok")
        await worker.until_figure("zcc_worker_records_total", 1)
    assert sink.values == [b"1"]


async def test_while_postgres_is_away_the_age_of_what_is_not_stored_grows_and_the_cause_is_logged(
    kafka_settings: KafkaSettings, unused_tcp_port: int, dsn: str
) -> None:
    kafka, port = kafka_settings, unused_tcp_port
    source, _ = await create_topics(kafka, "enriched.user", "dead-letter.postgres")
    login = event("user_login", user_id="U1")

    async def tell() -> None:
        async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
            assert await publisher.reached(within_s=30)
            await publish_once(publisher, Record(source, login.key, login.value, login.headers))

    async with proxied(dsn) as (proxy, through):
        sink = PostgresSink(PostgresSettings(dsn=through), SystemClock())
        work = run_sink(
            sink, component_of("postgres", [source]), kafka=kafka, worker=settings_of(port)
        )
        async with probed(work, port) as worker:
            await worker.until_readyz(200)
            await tell()
            await worker.until_figure("zcc_worker_records_total", 1)
            proxy.refusing = True
            proxy.cut()
            await tell()
            await worker.until_readyz(503, "write has failed for", "(transient)")
            await worker.until_figure("zcc_worker_oldest_unfinished_seconds", 8)
            proxy.refusing = False
            await worker.until_figure("zcc_worker_records_total", 2)
            async with asyncio.timeout(HANG_GUARD_S):
                while await worker.figure("zcc_worker_oldest_unfinished_seconds"):
                    await asyncio.sleep(0.1)
