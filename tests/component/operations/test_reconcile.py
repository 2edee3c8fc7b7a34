"""Reconciliation names records without an event id by where they lie, and settles dead letters."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from operations.reconcile.accounting import account
from operations.reconcile.stores import DataStores, read_all_stores
from operations.topics.apply import apply
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import origin_header
from schemas.topics import dead_letter_topic, quarantine_topic, raw_topic
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.migrate import migrate
from sinks.postgres.settings import PostgresSettings
from tests.support.kafka_records import publish_once
from tests.support.objects import s3_values
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack


@pytest.fixture
async def places(
    kafka_settings: KafkaSettings, database_dsn: str, stack: RealStack, object_store_prefix: str
) -> DataStores:
    await apply(kafka_settings)
    migrate(database_dsn)
    return DataStores(
        kafka=kafka_settings,
        postgres=PostgresSettings(dsn=SecretStr(database_dsn)),
        object_storage=ObjectStorageSettings(**s3_values(stack, object_store_prefix)),
    )


@pytest.fixture
async def publisher(places: DataStores) -> AsyncIterator[KafkaPublisher]:
    async with KafkaPublisher(places.kafka, client_id="test", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=HANG_GUARD_S)
        yield publisher


async def test_a_foreign_record_is_missing_by_its_place_until_it_lies_in_dead_letters(
    places: DataStores, publisher: KafkaPublisher
) -> None:
    prefix = places.kafka.topic_prefix
    topic = raw_topic("engagement", prefix=prefix)
    await publish_once(publisher, Record(topic, None, b"foreign", partition=0))
    quarantined = quarantine_topic(prefix=prefix)
    await publish_once(publisher, Record(quarantined, None, b"unreadable", partition=0))

    contents, stored = await read_all_stores(places, accepted=None)
    result = account(contents)
    assert result.unaccounted == (f"{topic}/0/0",)
    assert stored.quarantined == 1

    letters = dead_letter_topic("enrichment", prefix=prefix)
    origin = ((origin_header, f"{topic}/0/0".encode()),)
    await publish_once(publisher, Record(letters, None, b"foreign", headers=origin, partition=0))
    contents, _ = await read_all_stores(places, accepted=None)
    assert account(contents).complete
