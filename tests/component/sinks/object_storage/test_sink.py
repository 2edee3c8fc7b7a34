"""The object storage sink on a real S3 server and on a folder."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime import metrics
from runtime.errors import ConfigurationError, TransientError
from runtime.values import Assignment, Batch, Delivery, PartitionState, Resume, Span, TopicPartition
from sinks.object_storage.metrics import metrics as object_storage_metrics
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink, cluster_path
from tests.support.fakes.sinks import store
from tests.support.objects import opened, parquet_paths, s3_values
from tests.support.stack import RealStack
from tests.support.stored_objects import (
    TOPIC_ID,
    alternately,
    assignment,
    batch,
    delivery,
    path_of,
    put,
    source,
    stored,
)


@pytest.fixture(params=["s3", "folder"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, object_store_prefix: str
) -> ObjectStorageSettings:
    if request.param == "folder":
        return ObjectStorageSettings(url=f"file://{tmp_path}/events")
    stack: RealStack = request.getfixturevalue("stack")
    return ObjectStorageSettings(**s3_values(stack, object_store_prefix))


@pytest.fixture
async def sink(settings: ObjectStorageSettings) -> AsyncIterator[ObjectStorageSink]:
    async with ObjectStorageSink(settings) as entered:
        await entered.assigned(assignment())
        yield entered


async def test_a_batch_becomes_one_object_a_day(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    assert await store(sink, batch(0, 6, day=alternately)) == ()
    assert await stored(settings) == [0, 1, 2, 3, 4, 5]
    assert await parquet_paths(settings) == [path_of(1, 0), path_of(2, 0)]


async def test_the_value_is_kept_as_it_was_and_the_file_is_compressed(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(7, 8))
    (path,) = await parquet_paths(settings)
    file = pq.ParquetFile(pa.BufferReader(await opened(settings).get(path)))
    assert file.read()["body"].to_pylist() == [(delivery(7).value or b"").decode()]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.metadata[b"zcc.span.start"] == b"7"
    assert file.schema_arrow.metadata[b"zcc.span.end"] == b"8"
    assert file.schema_arrow.metadata[b"zcc.cluster.id"] == b"cluster"
    assert file.schema_arrow.metadata[b"zcc.topic.id"] == TOPIC_ID.encode()


async def test_a_batch_that_was_written_in_part_is_completed_without_repeats(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    both_days = batch(0, 6, day=alternately)
    first_day_only = Batch(
        tuple(d for d in both_days.deliveries if d.offset % 2 == 0), both_days.spans
    )
    await store(sink, first_day_only)
    adopted = object_storage_metrics.adopted._value.get()
    assert await store(sink, both_days) == ()
    assert await stored(settings) == [0, 1, 2, 3, 4, 5]
    assert object_storage_metrics.adopted._value.get() == adopted + 1


async def test_a_batch_written_again_changes_nothing(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    before = await parquet_paths(settings)
    await store(sink, batch(0, 4))
    assert await parquet_paths(settings) == before
    assert await stored(settings) == [0, 1, 2, 3]


async def test_a_batch_with_other_boundaries_goes_on_behind_what_is_stored(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    with pytest.raises(TransientError, match="ends at offset 4, not 7"):
        await store(sink, batch(0, 7))
    assert await store(sink, batch(0, 7)) == ()
    assert await stored(settings) == [0, 1, 2, 3, 4, 5, 6]


async def test_a_record_that_cannot_be_a_row_is_rejected_and_nothing_is_stored(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    good, bad = delivery(0), Delivery(source.topic, source.partition, 1, None, None, (), 0)
    (rejection,) = await store(sink, Batch((good, bad), {source: Span(0, 2)}))
    assert (rejection.source, rejection.offset) == (source, 1)
    assert await parquet_paths(settings) == []
    assert await store(sink, Batch((good,), {source: Span(0, 2)})) == ()
    assert await stored(settings) == [0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"x": [1]}), "names no log"),
        (
            pa.table({"x": [1]}).replace_schema_metadata(
                {"zcc.cluster.id": "cluster", "zcc.topic.id": "other"}
            ),
            "names cluster cluster and topic id other",
        ),
        (
            pa.table({"x": [1]}).replace_schema_metadata(
                {"zcc.cluster.id": "cluster", "zcc.topic.id": TOPIC_ID, "zcc.span.start": "x"}
            ),
            "names no span",
        ),
    ],
)
async def test_an_object_of_another_log_under_our_name_halts_with_its_name(
    settings: ObjectStorageSettings, sink: ObjectStorageSink, table: pa.Table, message: str
) -> None:
    await put(settings, path_of(1, 0), table)
    with pytest.raises(ConfigurationError, match=rf"\.parquet exists, but .*{message}.* move it"):
        await store(sink, batch(0, 1))


async def test_a_file_that_is_no_parquet_under_our_name_halts_with_its_name(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    assert await opened(settings).create(path_of(1, 0), b"no parquet at all")
    with pytest.raises(ConfigurationError, match="is not a Parquet file of this sink"):
        await store(sink, batch(0, 1))


async def test_a_recreated_topic_is_stored_next_to_the_old_one(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    for committed, new_id in ((None, "B" * 22), (0, "C" * 22)):
        anew = assignment(committed, topic_id=new_id)
        assert await sink.assigned(anew) == {source: Resume(0)}
        assert await store(sink, batch(0, 3)) == ()
    assert await stored(settings) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert await parquet_paths(settings) == sorted(
        path_of(1, 0, topic_id=each) for each in (TOPIC_ID, "B" * 22, "C" * 22)
    )


async def test_without_topic_ids_the_log_has_the_name_of_the_cluster(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await sink.assigned(assignment(topic_id=""))
    await store(sink, batch(0, 2))
    (path,) = await parquet_paths(settings)
    assert re.search(r"-c[0-9a-f]{20}\.parquet$", path)
    assert await sink.assigned(assignment(None, topic_id="")) == {source: Resume(0, 2)}


async def test_another_cluster_halts_until_the_record_of_the_first_one_is_deleted(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    rebuilt = assignment(None, topic_id="B" * 22, cluster_id="rebuilt")
    with pytest.raises(ConfigurationError, match=f"delete the object {cluster_path}"):
        await sink.assigned(rebuilt)
    await opened(settings).delete(cluster_path)
    assert await sink.assigned(rebuilt) == {source: Resume(0)}
    assert await store(sink, batch(0, 4)) == ()
    assert len(await parquet_paths(settings)) == 2


async def test_without_a_commit_the_last_span_is_finished_and_nothing_is_stored_twice(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4, day=alternately))
    await store(sink, batch(4, 9, day=alternately))
    await opened(settings).delete(path_of(2, 4))  # as if it had crashed before
    assert await sink.assigned(assignment(None)) == {source: Resume(4, 9)}
    assert await store(sink, batch(4, 9, day=alternately)) == ()
    assert await store(sink, batch(9, 12, day=alternately)) == ()
    assert await stored(settings) == list(range(12))


async def test_without_a_commit_a_span_that_retention_ate_is_none_the_less_where_it_goes_on(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    expired = metrics.worker.expired.labels("group", source.topic, "1")
    before = expired._value.get()
    resumes = await sink.assigned(assignment(None, log_start=7))
    assert resumes == {source: Resume(0, 4)}
    assert expired._value.get() == before + 3
    assert await store(sink, Batch((), {source: Span(0, 4)})) == ()
    assert await store(sink, Batch(batch(7, 9).deliveries, {source: Span(4, 9)})) == ()
    assert await stored(settings) == [0, 1, 2, 3, 7, 8]


async def test_a_commit_behind_the_objects_passes_over_what_they_hold(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    for start in (0, 4, 8):
        await store(sink, batch(start, start + 4, day=alternately))
    await opened(settings).delete(path_of(2, 8))
    skipped = object_storage_metrics.skipped._value.get()
    assert await sink.assigned(assignment(4)) == {source: Resume(4)}
    for start, end in ((4, 6), (6, 9), (9, 15)):
        assert await store(sink, batch(start, end, day=alternately)) == ()
    assert await stored(settings) == list(range(15))
    assert object_storage_metrics.skipped._value.get() == skipped + 4
    assert await sink.assigned(assignment(None)) == {source: Resume(12, 15)}


async def test_a_commit_at_the_start_of_a_span_that_is_there_in_part_stores_nothing_twice(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4, day=alternately))
    await opened(settings).delete(path_of(1, 0))
    await sink.assigned(assignment(0))
    for start, end in ((0, 1), (1, 3), (3, 6)):  # the first one has no record of the other day
        assert await store(sink, batch(start, end, day=alternately)) == ()
    assert await stored(settings) == list(range(6))


async def test_a_log_that_was_set_back_goes_on_below_another_prefix(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    elsewhere = settings.model_copy(update={"url": f"{settings.url}-2"})
    async with ObjectStorageSink(elsewhere) as anew:
        assert await anew.assigned(assignment(2, log_end=3)) == {source: Resume(2)}
        assert await store(anew, batch(2, 4)) == ()
    assert await stored(settings) == [0, 1, 2, 3]
    assert await stored(elsewhere) == [2, 3]


async def test_a_log_that_was_set_back_behind_the_objects_halts(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    with pytest.raises(ConfigurationError, match="reach up to offset 4, but its log ends at 3"):
        await sink.assigned(assignment(None, log_end=3))


@pytest.mark.parametrize("committed", [0, 2])
async def test_a_log_that_was_set_back_and_grew_again_halts(
    settings: ObjectStorageSettings, sink: ObjectStorageSink, committed: int
) -> None:
    await store(sink, batch(0, 4))
    await sink.assigned(assignment(committed))
    other = delivery(committed, event="e" * 64)
    with pytest.raises(ConfigurationError, match=r"holds another event .*restore\.md"):
        await store(sink, Batch((other,), {source: Span(committed, committed + 1)}))
    assert await stored(settings) == [0, 1, 2, 3]


async def test_objects_of_others_next_to_ours_are_skipped(
    settings: ObjectStorageSettings, sink: ObjectStorageSink
) -> None:
    await store(sink, batch(0, 4))
    table = pa.table({"event_id": ["f" * 64]})
    for name in ("part-0.parquet", "00001-00000000000000000009.parquet", "_SUCCESS"):
        await put(settings, path_of(1, 0).rpartition("/")[0] + "/" + name, table)
    assert await sink.assigned(assignment(None)) == {source: Resume(0, 4)}


async def test_reading_starts_where_the_group_has_committed_else_at_the_start_of_the_log(
    sink: ObjectStorageSink,
) -> None:
    other, empty = TopicPartition(source.topic, 2), TopicPartition(source.topic, 3)
    states = {
        source: PartitionState(5, 0, 9),
        other: PartitionState(None, 3, 9),
        empty: PartitionState(None, 0, 0),
    }
    assert await sink.assigned(Assignment("cluster", "group", states)) == {
        source: Resume(5),
        other: Resume(3),
        empty: Resume(0),
    }


async def test_writing_without_an_assignment_is_refused(settings: ObjectStorageSettings) -> None:
    async with ObjectStorageSink(settings) as sink:
        with pytest.raises(RuntimeError, match="before assigned"):
            await store(sink, batch(0, 1))
