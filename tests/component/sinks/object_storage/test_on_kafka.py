"""The object storage sink on real Kafka and S3: whatever becomes of topic, group or bucket."""

import asyncio
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import metrics
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Record
from schemas.topics import enriched_topic, topic_specs
from sinks.object_storage.layout.objects import parse_name
from sinks.object_storage.metrics import metrics as object_storage_metrics
from sinks.object_storage.service import run
from sinks.object_storage.settings import ObjectStorageSettings
from tests.support.enriched_records import delivery, webhook
from tests.support.sink_processes import DEADLINE_S, Lake, publish, s3
from tests.support.stack import RealStack


@pytest.fixture
async def lake(stack: RealStack, kafka_settings: KafkaSettings, object_store_prefix: str) -> Lake:
    made = Lake(kafka_settings, s3(stack, object_store_prefix))
    await made.make_topic()
    return made


def span_start(path: str) -> int:
    name = parse_name(path)
    return -1 if name is None else name.start


async def test_a_recreated_topic_that_outgrew_the_old_one_is_stored_from_its_beginning(
    lake: Lake,
) -> None:
    await lake.produce(20)
    await lake.store(until=20)
    before = await lake.paths()
    await lake.recreate_topic()
    await lake.produce(60)
    recreated = metrics.worker.recreated_topics.labels("lake", lake.topic)._value
    assert recreated.get() == 0
    await lake.store(until=80)
    assert recreated.get() >= 1
    assert await lake.stored() == Counter(lake.sent)
    logs = {name.log for name in map(parse_name, await lake.paths()) if name}
    assert len(logs) == 2
    assert set(before) < set(await lake.paths())


async def test_a_group_that_was_deleted_goes_on_where_the_objects_end(lake: Lake) -> None:
    await lake.produce(30)
    await lake.store(until=30)
    await lake.produce(10)
    await lake.store(until=40)
    await lake.delete_group()
    await lake.produce(10)
    await lake.store(until=50)
    assert await lake.stored() == Counter(lake.sent)


async def test_a_span_that_was_there_in_part_when_the_group_was_lost_is_finished(
    lake: Lake,
) -> None:
    await lake.produce(30)
    await lake.store(until=30)
    # Its days are written one after the other: as if it had crashed before the second one.
    last = parse_name(max(await lake.paths(), key=span_start))
    await lake.delete_objects([p for p in await lake.paths() if parse_name(p) == last][1:])
    await lake.delete_group()
    await lake.store(until=30)
    assert await lake.stored() == Counter(lake.sent)


async def test_a_commit_of_long_ago_stores_nothing_twice(lake: Lake) -> None:
    await lake.produce(20)
    await lake.store(until=20)
    await lake.produce(20)
    await lake.store(until=40)
    skipped = object_storage_metrics.skipped._value.get()
    await lake.commit(3)
    await lake.produce(10)
    await lake.store(until=50)
    assert await lake.stored() == Counter(lake.sent)
    assert object_storage_metrics.skipped._value.get() > skipped


@pytest.mark.parametrize("first_lost", [0, 1])
async def test_objects_that_were_lost_are_written_again_once_the_group_is_deleted(
    lake: Lake, first_lost: int
) -> None:
    await lake.produce(20)
    await lake.store(until=20)
    await lake.produce(20)
    await lake.store(until=40)
    # All of them, or the bucket of before the second twenty.
    await lake.delete_objects([p for p in await lake.paths() if span_start(p) >= first_lost])
    await lake.delete_group()
    await lake.store(until=40)
    assert await lake.stored() == Counter(lake.sent)


async def test_retention_that_overtook_every_partition_of_a_quiet_topic_does_not_stop_it(
    lake: Lake,
) -> None:
    await lake.produce(10)
    await lake.store(until=10)
    await lake.produce(10)
    await lake.delete_records()
    await lake.produce(6)
    await lake.store(until=16)
    assert await lake.stored() == Counter(lake.sent[:10] + lake.sent[20:])


async def test_retention_that_left_nothing_behind_the_commit_does_not_stop_it(lake: Lake) -> None:
    await lake.produce(10)
    await lake.store(until=10)
    await lake.produce(10)
    await lake.delete_records()
    lags = [metrics.worker.lag.labels("lake", *map(str, source)) for source in lake.partitions]
    for lag in lags:
        lag.set(-1)
    async with lake.running(), asyncio.timeout(DEADLINE_S):
        while any(lag._value.get() == -1 for lag in lags):  # until the figures were taken
            await asyncio.sleep(0.1)
        await lake.produce(6)
        await lake.until_stored(16)
    assert await lake.stored() == Counter(lake.sent[:10] + lake.sent[20:])


@pytest.fixture
def lavish_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("lavish_umask")
async def test_files_are_for_the_owner_and_the_group_alone(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "lake" / "events"
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(list(topic_specs(kafka_settings.topic_plan, {"object-storage": ()})))
    event = delivery(webhook("task_created", {"task_id": "T"}))
    topic = enriched_topic("task", prefix=kafka_settings.topic_prefix)
    await publish(kafka_settings, [Record(topic, b"k", event.value, event.headers)])
    settings = ObjectStorageSettings(url=f"file://{folder}", rotate_age_s=0.1)
    worker = WorkerSettings(health_host="127.0.0.1", health_port=0, session_timeout_s=6)
    work = asyncio.create_task(run(settings, kafka_settings, worker))
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not list(folder.rglob("*.parquet")) and not work.done():
                await asyncio.sleep(0.1)
    finally:
        work.cancel()
        await asyncio.wait((work,))
    paths = list((tmp_path / "lake").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o640}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o750}
