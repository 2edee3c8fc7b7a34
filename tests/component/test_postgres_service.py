"""The Postgres sink as it runs in production: a process between real topics and real tables."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import enriched_topic, reference_topic, topic_specs
from sinks.postgres.migrate import migrate
from tests.component.postgres_rig import query
from tests.projected import event, snapshot

program = """
import uvloop
from sinks.postgres.service import run
from sinks.postgres.settings import PostgresSettings
from runtime.settings import KafkaSettings, WorkerSettings
uvloop.run(run(PostgresSettings(), KafkaSettings(), WorkerSettings()))
"""


@pytest.fixture
async def sink(
    kafka_settings: KafkaSettings, database_dsn: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    await asyncio.to_thread(migrate, database_dsn)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(list(topic_specs(kafka_settings.topic_plan, ("postgres",))))
    environment = {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_HEALTH_PORT": "0",
        "ZCC_POSTGRES_DSN": database_dsn,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def rows(dsn: str, table: str) -> int:
    (row,) = await query(dsn, f"select count(*) as n from zcc.{table}")
    return int(row["n"])


async def test_events_and_references_become_rows_and_a_signal_ends_the_sink_well(
    kafka_settings: KafkaSettings, database_dsn: str, sink: asyncio.subprocess.Process
) -> None:
    prefix = kafka_settings.topic_prefix
    told: dict[str, Delivery] = {
        enriched_topic("user", prefix=prefix): event("user_login", user_id="U1"),
        reference_topic(prefix=prefix): snapshot("team", "T1", {"team_id": "T1"}),
    }
    async with KafkaPublisher(kafka_settings, client_id="test", clock=SystemClock()) as publisher:
        async with asyncio.timeout(30):
            while not publisher.ready:
                await asyncio.sleep(0.05)
        for topic, each in told.items():
            await publisher.publish(Record(topic, each.key, each.value, each.headers))
    async with asyncio.timeout(60):
        while (await rows(database_dsn, "raw_event"), await rows(database_dsn, "team")) != (1, 1):
            await asyncio.sleep(0.2)
    assert await rows(database_dsn, "app_user") == 1
    sink.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await sink.wait() == 0
