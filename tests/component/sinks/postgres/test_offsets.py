"""Offsets in the transaction of the rows: takeover, fencing, refusals, repair."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, FencedError
from runtime.values import Batch, Delivery, Resume, Span, TopicPartition
from sinks.postgres.sink import PostgresSink
from sinks.postgres.write.offsets import reset_offsets
from tests.support.enriched_records import SOURCE, START_MS, batch, delivery, webhook
from tests.support.fakes.sinks import store
from tests.support.postgres import GROUP, Owner, assignment, owner, query, settings

OTHER = TopicPartition("zcc.enriched.task.v1", 1)


def recreated() -> float:
    name = "zcc_postgres_recreated_partitions_total"
    return REGISTRY.get_sample_value(name, {"topic": SOURCE.topic}) or 0


def expired() -> float:
    labels = {"group": GROUP, "topic": SOURCE.topic, "partition": str(SOURCE.partition)}
    return REGISTRY.get_sample_value("zcc_worker_expired_records_total", labels) or 0


def events(count: int) -> list[Delivery]:
    return [delivery(webhook("task_created", {}, at_ms=START_MS + n)) for n in range(count)]


async def test_each_assignment_raises_the_epoch_and_reads_on_where_rows_end(dsn: str) -> None:
    async with owner(dsn) as first:
        await first.store(events(3))
        assert await first.sink.assigned(assignment(SOURCE, OTHER)) == {
            SOURCE: Resume(3),
            OTHER: Resume(0),
        }
    rows = await query(dsn, "select topic, epoch, next_offset from zcc.kafka_offset order by topic")
    assert [tuple(row.values()) for row in rows] == [(SOURCE.topic, 2, 3), (OTHER.topic, 1, 0)]


async def test_what_the_group_has_committed_in_kafka_says_nothing_about_a_new_database(
    dsn: str,
) -> None:
    async with PostgresSink(settings(dsn), SystemClock()) as sink:
        assert await sink.assigned(assignment(committed=500, log_start=20)) == {SOURCE: Resume(20)}


async def test_an_owner_that_was_replaced_stores_nothing_more(dsn: str) -> None:
    async with owner(dsn) as zombie, owner(dsn) as successor:
        with pytest.raises(FencedError, match="another owner"):
            await zombie.store(events(2))
        await successor.store(events(1))
        with pytest.raises(FencedError):
            await zombie.store(events(2))
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 1


async def test_a_replaced_owner_of_one_partition_stores_nothing_of_the_others(dsn: str) -> None:
    async with PostgresSink(settings(dsn), SystemClock()) as sink:
        await sink.assigned(assignment(SOURCE, OTHER))
        async with owner(dsn, source=OTHER):
            some = batch(events(2))
            both = Batch(some.deliveries, {**some.spans, OTHER: Span(0, 0)})
            with pytest.raises(FencedError):
                await store(sink, both)
    assert await query(dsn, "select 1 from zcc.raw_event") == []


async def test_a_batch_that_leaves_a_hole_is_refused(dsn: str) -> None:
    async with owner(dsn) as writer:
        with pytest.raises(FencedError):
            await store(writer.sink, batch(events(1), start=1))


async def test_a_write_before_any_assignment_is_refused(dsn: str) -> None:
    async with PostgresSink(settings(dsn), SystemClock()) as sink:
        with pytest.raises(FencedError, match="nothing is assigned"):
            await store(sink, batch(events(1)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cluster_id": "another"}, "belongs to Kafka cluster cluster, this one is another"),
        ({"log_end": 2}, "ends at offset 2, but was stored up to 3"),
    ],
)
async def test_offsets_of_another_log_are_refused_with_the_command_that_repairs_it(
    dsn: str, changed: dict[str, Any], message: str
) -> None:
    async with owner(dsn) as present:
        await present.store(events(3))
        async with PostgresSink(settings(dsn), SystemClock()) as sink:
            with pytest.raises(ConfigurationError, match=message) as refused:
                await sink.assigned(assignment(OTHER, SOURCE, **changed))
            assert "zcc offsets reset postgres" in str(refused.value)
        await present.store(events(1))  # who refuses takes nothing away from the present owner
    assert len(await query(dsn, "select 1 from zcc.kafka_offset")) == 1


async def test_a_recreated_topic_is_read_from_its_start_though_it_grew_beyond_the_stored_offset(
    dsn: str,
) -> None:
    async with PostgresSink(settings(dsn), SystemClock()) as sink:
        before = Owner(sink, SOURCE)
        await before.take_over(topic_id="first")
        await before.store(events(3))
    counted = recreated()
    async with PostgresSink(settings(dsn), SystemClock()) as sink:
        after = Owner(sink, SOURCE)
        await after.take_over(topic_id="second", log_start=0, log_end=5)
        assert after.position == 0
        await after.store(events(5))
    assert recreated() == counted + 1
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 5
    stored = await query(dsn, "select topic_id, epoch, next_offset from zcc.kafka_offset")
    assert stored == [{"topic_id": "second", "epoch": 2, "next_offset": 5}]


async def test_an_offset_stored_before_ids_were_known_takes_the_id_of_its_topic(dsn: str) -> None:
    async with owner(dsn) as before:
        await before.store(events(3))
        await before.take_over(topic_id="first")
        assert before.position == 3
        await before.take_over()  # by brokers that tell none
        await before.take_over(topic_id="first")
        assert before.position == 3
        await before.take_over(topic_id="second")
        assert before.position == 0


async def test_what_retention_deleted_is_counted_once_and_the_rest_is_stored(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store(events(3))
        counted = expired()
        with capture_logs() as logs:
            await writer.take_over(log_start=10)
        assert writer.position == 10
        assert expired() == counted + 7
        warnings = [each for each in logs if each["event"].startswith("retention deleted")]
        assert [(each["partition"], each["records"]) for each in warnings] == [(0, 7)]
        await writer.take_over(log_start=10)
        assert expired() == counted + 7
        assert await writer.store(events(2)) == ()
        await writer.take_over(log_start=20, committed=12)  # the consumer has counted these
        assert expired() == counted + 7
    assert await query(dsn, "select next_offset from zcc.kafka_offset") == [{"next_offset": 20}]


async def test_after_a_reset_everything_is_read_again_and_nothing_stored_twice(dsn: str) -> None:
    async with owner(dsn) as before:
        await before.store(events(3))
    assert await asyncio.to_thread(reset_offsets, dsn, "somebody else") == 0
    assert await asyncio.to_thread(reset_offsets, dsn, GROUP) == 1
    async with owner(dsn) as after:
        assert after.position == 0
        await after.store(events(3))
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 3


async def test_owners_of_different_partitions_do_not_disturb_each_other(dsn: str) -> None:
    async with owner(dsn) as one, owner(dsn, source=OTHER) as two:
        for start in range(0, 40, 10):
            both = one.store(events(start + 10)), two.store(events(start + 10))
            await asyncio.gather(*both)
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 40
