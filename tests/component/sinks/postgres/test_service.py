"""The Postgres sink as it runs in production: a process between real topics and real tables."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import enriched_topic, reference_topic, topic_specs
from sinks.postgres.migrate import migrate
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S, until
from tests.support.postgres import query
from tests.support.projections import event, snapshot

program = """
import uvloop
from sinks.postgres.service import run
from sinks.postgres.settings import PostgresSettings
from runtime.settings import KafkaSettings, WorkerSettings
uvloop.run(run(PostgresSettings(), KafkaSettings(), WorkerSettings()))
"""


@pytest.fixture
async def environment(kafka_settings: KafkaSettings, database_dsn: str) -> Mapping[str, str]:
    """Of a sink between new topics and new tables."""
    await asyncio.to_thread(migrate, database_dsn)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(list(topic_specs(kafka_settings.topic_plan, {"postgres": ()})))
    return {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_HEALTH_PORT": "0",
        "ZCC_POSTGRES_DSN": database_dsn,
    }


@asynccontextmanager
async def running(environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield child
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(HANG_GUARD_S):
            assert await child.wait() == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def publish(kafka: KafkaSettings, records: Iterable[Record]) -> None:
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        async with asyncio.timeout(HANG_GUARD_S):
            while not publisher.ready:
                await asyncio.sleep(0.05)
        for record in records:
            await publish_once(publisher, record)


async def made_anew(kafka: KafkaSettings, topic: str) -> None:
    """Delete a topic and make one of the same name."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        async with asyncio.timeout(HANG_GUARD_S):
            while topic in await admin.list_topics():
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
    async with TopicAdmin(kafka) as ours:
        await ours.apply(list(topic_specs(kafka.topic_plan, {"postgres": ()})))


async def rows(dsn: str, table: str) -> int:
    (row,) = await query(dsn, f"select count(*) as n from zcc.{table}")
    return int(row["n"])


async def has_rows(dsn: str, counts: Mapping[str, int]) -> bool:
    return {table: await rows(dsn, table) for table in counts} == counts


async def test_events_and_references_become_rows_and_a_signal_ends_the_sink_well(
    kafka_settings: KafkaSettings, database_dsn: str, environment: Mapping[str, str]
) -> None:
    prefix = kafka_settings.topic_prefix
    deliveries: dict[str, Delivery] = {
        enriched_topic("user", prefix=prefix): event("user_login", user_id="U1"),
        reference_topic(prefix=prefix): snapshot("team", "T1", {"team_id": "T1"}),
    }
    async with running(environment):
        await publish(
            kafka_settings,
            (
                Record(topic, each.key, each.value, each.headers)
                for topic, each in deliveries.items()
            ),
        )
        await until(partial(has_rows, database_dsn, {"raw_event": 1, "team": 1}), "the rows")
        assert await rows(database_dsn, "app_user") == 1


async def test_a_topic_recreated_while_the_sink_is_stopped_is_stored_as_a_whole(
    kafka_settings: KafkaSettings, database_dsn: str, environment: Mapping[str, str]
) -> None:
    """It has grown beyond the stored offset, so that the offset alone proves nothing."""
    topic = enriched_topic("user", prefix=kafka_settings.topic_prefix)

    def logins(first: int, count: int) -> Iterable[Record]:
        for number in range(first, first + count):
            login = event("user_login", after_s=number, user_id="U1")
            yield Record(topic, login.key, login.value, login.headers, partition=0)

    async with running(environment):
        await publish(kafka_settings, logins(0, 3))
        await until(partial(has_rows, database_dsn, {"raw_event": 3}), "the rows")
    await made_anew(kafka_settings, topic)
    await publish(kafka_settings, logins(100, 5))
    async with running(environment):
        await until(partial(has_rows, database_dsn, {"raw_event": 3 + 5}), "the rows")
    (stored,) = await query(
        database_dsn,
        f"select next_offset, topic_id from zcc.kafka_offset "
        f"where topic = '{topic}' and partition = 0",
    )
    assert (stored["next_offset"], len(stored["topic_id"])) == (5, 22)
