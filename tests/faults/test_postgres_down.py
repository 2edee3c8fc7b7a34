"""Postgres is away for a minute: everything waits, no record becomes a dead letter."""

import asyncio
from pathlib import Path

import pytest

from runtime.settings import KafkaSettings
from sinks.postgres.migrate import migrate
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres import query
from tests.support.postgres_load import Load, make_topics, publishing, records
from tests.support.postgres_proxy import proxied
from tests.support.postgres_sinks import Sinks

away_s = 60.0

pytestmark = pytest.mark.long


async def stored(dsn: str) -> int:
    (row,) = await query(dsn, "select count(*) from zcc.raw_event")
    return int(row["count"])


async def until_more(dsn: str, count: int) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while await stored(dsn) <= count:
            await asyncio.sleep(0.05)


async def test_a_minute_without_postgres_makes_no_dead_letter_and_it_goes_on(
    kafka_settings: KafkaSettings, database_dsn: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    await make_topics(kafka_settings)
    stream = records(kafka_settings.topic_prefix, seed=5)
    async with (
        proxied(database_dsn) as (proxy, through),
        publishing(kafka_settings) as publisher,
        Sinks(kafka_settings, through, tmp_path / "logs") as sinks,
    ):
        load = Load(stream, publisher)
        await load.send(500)
        await sinks.start(0)
        await until_more(database_dsn, 0)
        proxy.refusing = True
        proxy.cut()
        await load.send(500)
        before = await stored(database_dsn)
        await asyncio.sleep(away_s)
        assert await stored(database_dsn) == before
        proxy.refusing = False
        await until_more(database_dsn, before)
        await sinks.until_stored()
        await sinks.stop()
    assert await records_of(kafka_settings, [sinks.dead]) == []
