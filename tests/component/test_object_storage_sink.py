"""The object storage sink on a real S3 server and on a folder."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr, ValidationError

from runtime import telemetry
from runtime.errors import ConfigurationError, TransientError
from runtime.values import Assignment, Batch, Delivery, PartitionState, Resume, Span, TopicPartition
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink, marker_path
from sinks.object_storage.store import open_store
from tests.stack import RealStack

source = TopicPartition("zcc.enriched.task.v1", 1)


def delivery(offset: int, *, day: int = 1) -> Delivery:
    headers = (
        ("zcc-event-id", f"{offset:064x}".encode()),
        ("ce_type", b"contact_center.task_created"),
        ("ce_time", f"2026-01-{day:02d}T12:00:00.000Z".encode()),
        ("ce_source", b"urn:zoom:contact-center:ACCOUNT"),
    )
    return Delivery(source.topic, source.partition, offset, b"k", b'{"a":"\\u0000"}', headers, 0)


def batch(first: int, end: int, *, day: Callable[[int], int] = lambda _: 1) -> Batch:
    found = tuple(delivery(offset, day=day(offset)) for offset in range(first, end))
    return Batch(found, {source: Span(first, end)})


@pytest.fixture(params=["s3", "folder"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, object_store_prefix: str
) -> ObjectStorageSettings:
    if request.param == "folder":
        return ObjectStorageSettings(url=f"file://{tmp_path}/events")
    stack: RealStack = request.getfixturevalue("stack")
    return ObjectStorageSettings(
        url=f"s3://{stack.s3_bucket}/{object_store_prefix}",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr(stack.s3_secret_key),
    )


@pytest.fixture
async def sink(settings: ObjectStorageSettings) -> AsyncIterator[ObjectStorageSink]:
    async with ObjectStorageSink(settings) as entered:
        yield entered


async def stored(settings: ObjectStorageSettings) -> list[int]:
    return sorted([int(found, 16) async for found in stored_event_ids(settings)])


async def paths(settings: ObjectStorageSettings) -> list[str]:
    found = await obstore.list(open_store(settings)).collect_async()
    return sorted(each["path"] for each in found if each["path"] != marker_path)


async def test_a_batch_becomes_one_object_a_day(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    assert await sink.write(batch(0, 6, day=lambda offset: 1 + offset % 2)) == ()
    assert await stored(settings) == [0, 1, 2, 3, 4, 5]
    assert await paths(settings) == [
        f"topic=zcc.enriched.task.v1/date=2026-01-0{day}/00001-00000000000000000000.parquet"
        for day in (1, 2)
    ]


async def test_the_value_is_kept_as_it_was_and_the_file_is_compressed(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await sink.write(batch(7, 8))
    (path,) = await paths(settings)
    content = (await (await obstore.get_async(open_store(settings), path)).bytes_async()).to_bytes()
    file = pq.ParquetFile(pa.BufferReader(content))
    assert file.read()["body"].to_pylist() == ['{"a":"\\u0000"}']
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.metadata[b"zcc.span.start"] == b"7"
    assert file.schema_arrow.metadata[b"zcc.span.end"] == b"8"


async def test_a_batch_that_was_written_in_part_is_completed_without_repeats(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    both_days = batch(0, 6, day=lambda offset: 1 + offset % 2)
    first_day_only = Batch(
        tuple(d for d in both_days.deliveries if d.offset % 2 == 0), both_days.spans
    )
    await sink.write(first_day_only)
    adopted = telemetry.object_storage.adopted._value.get()
    assert await sink.write(both_days) == ()
    assert await stored(settings) == [0, 1, 2, 3, 4, 5]
    assert telemetry.object_storage.adopted._value.get() == adopted + 1


async def test_a_batch_written_again_changes_nothing(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await sink.write(batch(0, 4))
    before = await paths(settings)
    await sink.write(batch(0, 4))
    assert await paths(settings) == before
    assert await stored(settings) == [0, 1, 2, 3]


async def test_the_end_of_an_object_that_is_there_is_adopted_and_the_rest_is_written(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await sink.write(batch(0, 4))
    await sink.write(batch(0, 7))
    assert await stored(settings) == [0, 1, 2, 3, 4, 5, 6]
    await sink.write(batch(0, 2))
    assert await stored(settings) == [0, 1, 2, 3, 4, 5, 6]


async def test_a_record_that_cannot_be_a_row_is_rejected_and_nothing_is_stored(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    good, bad = delivery(0), Delivery(source.topic, source.partition, 1, None, None, (), 0)
    (rejection,) = await sink.write(Batch((good, bad), {source: Span(0, 2)}))
    assert (rejection.source, rejection.offset) == (source, 1)
    assert await paths(settings) == []
    assert await sink.write(Batch((good,), {source: Span(0, 2)})) == ()
    assert await stored(settings) == [0]


async def test_a_foreign_object_in_the_way_halts_with_its_name(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    path = "topic=zcc.enriched.task.v1/date=2026-01-01/00001-00000000000000000000.parquet"
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": [1]}), buffer)
    await obstore.put_async(open_store(settings), path, buffer.getvalue().to_pybytes())
    with pytest.raises(ConfigurationError, match=r"00000000000000000000\.parquet exists"):
        await sink.write(batch(0, 1))


async def test_reading_starts_where_the_group_has_committed_else_at_the_start_of_the_log(
    sink: ObjectStorageSink,
) -> None:
    other = TopicPartition(source.topic, 2)
    assignment = Assignment(
        "cluster",
        "group",
        {source: PartitionState(5, 0, 9), other: PartitionState(None, 3, 9)},
    )
    assert await sink.assigned(assignment) == {source: Resume(5), other: Resume(3)}


async def test_a_server_that_does_not_answer_is_a_passing_fault(unused_tcp_port: int) -> None:
    settings = ObjectStorageSettings(
        url="s3://bucket/prefix",
        endpoint=f"http://127.0.0.1:{unused_tcp_port}",
        access_key_id="a",
        secret_access_key=SecretStr("b"),
        request_timeout_s=0.5,
    )
    with pytest.raises(TransientError, match="does not answer"):
        await ObjectStorageSink(settings).__aenter__()


async def test_a_bucket_that_does_not_exist_is_named_as_a_setting_to_change(
    stack: RealStack,
) -> None:
    settings = ObjectStorageSettings(
        url="s3://no-such-bucket/prefix",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr(stack.s3_secret_key),
    )
    with pytest.raises(ConfigurationError, match="ZCC_OBJECT_STORAGE_URL"):
        await ObjectStorageSink(settings).__aenter__()


async def test_wrong_keys_are_named_as_settings_to_change(stack: RealStack) -> None:
    settings = ObjectStorageSettings(
        url=f"s3://{stack.s3_bucket}/prefix",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr("wrong"),
    )
    with pytest.raises(ConfigurationError, match="keys"):
        await ObjectStorageSink(settings).__aenter__()


@pytest.mark.parametrize("url", ["events", "ftp://host/x", "s3://", "file:///"])
def test_an_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="s3://"):
        ObjectStorageSettings(url=url)


def test_a_key_without_its_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="ZCC_OBJECT_STORAGE_SECRET_ACCESS_KEY"):
        ObjectStorageSettings(access_key_id="a")


@pytest.mark.parametrize(
    ("url", "kind"), [("gs://bucket/p", "GCSStore"), ("az://container/p", "AzureStore")]
)
def test_the_other_clouds_are_opened_by_url(url: str, kind: str) -> None:
    settings = ObjectStorageSettings(
        url=url, access_key_id="account", secret_access_key=SecretStr("c2VjcmV0")
    )
    assert type(open_store(settings)).__name__ == kind


def test_a_folder_that_cannot_be_made_is_named_as_a_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="ZCC_OBJECT_STORAGE_URL"):
        open_store(ObjectStorageSettings(url=f"file://{tmp_path}/file/events"))
