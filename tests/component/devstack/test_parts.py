"""Each part is the real thing, keeps its data, and comes back after a fault."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import obstore
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

import devstack
from devstack import DevstackOptions, Stack
from runtime.settings import KafkaSettings
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack

REQUEST_TIMEOUT_MS = int(HANG_GUARD_S * 1000)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, whose rights other runs of pytest take away meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def object_store(stack: Stack | RealStack) -> S3Store:
    return S3Store(
        stack.s3_bucket,
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=stack.s3_secret_key,
        region="us-east-1",
        client_options={"allow_http": True},
    )


async def make_topic(bootstrap_servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def publish(bootstrap_servers: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", request_timeout_ms=REQUEST_TIMEOUT_MS
    ) as producer:
        await producer.send_and_wait(topic, value)


async def first_values(bootstrap_servers: str, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    async with consumer:
        async with asyncio.timeout(HANG_GUARD_S):
            return [(await consumer.getone()).value for _ in range(count)]


async def test_s3_creates_an_object_only_where_there_is_none(
    stack: RealStack, object_store_prefix: str
) -> None:
    store, path = object_store(stack), f"{object_store_prefix}/once"
    await obstore.put_async(store, path, b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        await obstore.put_async(store, path, b"second", mode="create")
    assert await (await obstore.get_async(store, path)).bytes_async() == b"first"


async def test_kafka_makes_no_topic_by_itself_and_keeps_records(
    stack: RealStack, kafka_settings: KafkaSettings
) -> None:
    topic = f"{kafka_settings.topic_prefix}.records"
    await make_topic(stack.bootstrap_servers, topic)
    await publish(stack.bootstrap_servers, topic, b"record")
    assert await first_values(stack.bootstrap_servers, topic, 1) == [b"record"]


async def test_postgres_gives_an_empty_database_and_knows_when_rows_were_committed(
    database_dsn: str,
) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        await connection.execute("CREATE TABLE rows (id int)")
        await connection.execute("INSERT INTO rows VALUES (1)")
        await connection.commit()
        cursor = await connection.execute("SELECT pg_xact_commit_timestamp(xmin) FROM rows")
        row = await cursor.fetchone()
        assert row is not None
        assert row[0] is not None


async def test_topics_rows_and_objects_of_a_named_folder_outlive_faults_and_restarts(
    folder: Path,
) -> None:
    options = DevstackOptions(directory=folder)
    async with devstack.running(options) as stack:
        await make_topic(stack.bootstrap_servers, "kept")
        await publish(stack.bootstrap_servers, "kept", b"before the kill")
        await stack.kill("kafka")
        await stack.start("kafka")
        await publish(stack.bootstrap_servers, "kept", b"after the kill")
        await obstore.put_async(object_store(stack), "kept", b"object")
        async with await psycopg.AsyncConnection.connect(stack.postgres_dsn) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
            await connection.commit()
            await stack.kill("postgres")
        await stack.start("postgres")
        await stack.stop("s3")
        await stack.start("s3")
    async with devstack.running(options) as stack:
        assert await first_values(stack.bootstrap_servers, "kept", 2) == [
            b"before the kill",
            b"after the kill",
        ]
        async with await psycopg.AsyncConnection.connect(stack.postgres_dsn) as connection:
            assert await (await connection.execute("SELECT id FROM kept")).fetchall() == [(1,)]
        stored = await obstore.get_async(object_store(stack), "kept")
        assert await stored.bytes_async() == b"object"
        assert all(stack.log(part).stat().st_size for part in ("kafka", "postgres", "s3"))


async def test_a_part_that_runs_is_not_started_twice_and_a_stopped_one_is_no_crash(
    folder: Path,
) -> None:
    options = DevstackOptions(directory=folder, parts=frozenset({"s3"}))
    async with devstack.running(options) as stack:
        await stack.start("s3")
        await stack.stop("s3")
        await stack.stop("s3")
        stack.check()
        assert stack.bootstrap_servers == stack.postgres_dsn == ""
