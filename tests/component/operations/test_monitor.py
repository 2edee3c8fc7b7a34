"""`zcc monitor` on a real broker: what it measures, and what it does when it cannot."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import REGISTRY

from operations.components import workers as all_workers
from operations.lag.monitor import Monitor
from operations.local.pipeline import get
from operations.local.processes import Process
from operations.settings.monitor import MonitorSettings
from runtime.clock import SystemClock
from runtime.kafka import TopicAdmin
from runtime.ports import Position
from runtime.settings import KafkaSettings
from runtime.values import Record, TopicPartition
from schemas.topics import (
    Workers,
    dead_letter_topic,
    enriched_topic,
    quarantine_topic,
    retry_topic,
    topic_specs,
)
from tests.support.kafka_members import (
    Member,
    deadline_s,
    delete_before,
    poll_until,
    publish,
)
from tests.support.kafka_proxy import proxy_before
from tests.support.patience import HANG_GUARD_S
from tests.support.workers_on_kafka import until

quick = MonitorSettings(interval_s=0.1)


async def make_topics(kafka: KafkaSettings, workers: Workers = all_workers) -> None:
    async with TopicAdmin(kafka) as admin:
        await admin.apply(tuple(topic_specs(kafka.topic_plan, workers)))


async def publish_aged(
    kafka: KafkaSettings, topic: str, *, age_s: float, partition: int = 0
) -> None:
    """Publish one record that says to be so old."""
    made_ms = int((datetime.now(UTC).timestamp() - age_s) * 1000)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"v", partition=partition, timestamp_ms=made_ms)


@asynccontextmanager
async def monitoring(
    kafka: KafkaSettings, settings: MonitorSettings = quick
) -> AsyncIterator[Monitor]:
    monitor = Monitor(settings, kafka, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(monitor.run())
        yield monitor
        looking.cancel()


def figure(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(f"zcc_monitor_{name}", labels)
    return -1 if value is None else value


def seconds_since(before_s: float) -> float:
    """What has passed by now, with room for a timestamp that is a whole millisecond."""
    return time.monotonic() - before_s + 0.01


async def next_look() -> None:
    before = figure("last_measurement_timestamp_seconds")
    await until(lambda: figure("last_measurement_timestamp_seconds") > before)


async def test_a_group_that_stands_still_is_measured_in_records_seconds_and_members(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    source = TopicPartition(enriched_topic("task", prefix=kafka_settings.topic_prefix), 0)
    group = f"{kafka_settings.topic_prefix}.postgres"
    labels = {"group": group, "topic": source.topic}
    async with monitoring(kafka_settings) as monitor:
        assert monitor.readiness_problem() is not None
        await until(lambda: monitor.readiness_problem() is None)
        assert figure("group_lag_records", **labels) == figure("group_lag_seconds", **labels) == 0
        assert figure("group_members", group=group) == 0
        assert figure("topic_retention_seconds", topic=source.topic) == 7 * 86_400

        before_s = time.monotonic()
        await publish(
            kafka_settings,
            *(Record(source.topic, b"k", b"v", partition=source.partition) for _ in range(10)),
        )
        await until(lambda: figure("group_lag_records", **labels) == 10)
        await until(lambda: figure("group_lag_seconds", **labels) > 0.5)
        assert figure("group_lag_seconds", **labels) <= seconds_since(before_s)

        member = Member(kafka_settings, [source.topic], group="postgres")
        async with member.consumer:
            await poll_until(lambda: figure("group_members", group=group) == 1, member)
            await poll_until(lambda: len(member.read) == 10, member)
            await member.consumer.commit({source: Position(4)})
            await poll_until(lambda: figure("group_lag_records", **labels) == 6, member)
            await member.consumer.commit({source: Position(10)})
            await poll_until(lambda: figure("group_lag_records", **labels) == 0, member)
        assert figure("group_lag_seconds", **labels) == 0
        await until(lambda: figure("group_members", group=group) == 0)


async def test_what_was_put_off_is_late_only_once_it_is_due(kafka_settings: KafkaSettings) -> None:
    await make_topics(kafka_settings)
    topic = retry_topic("enrichment", 10, prefix=kafka_settings.topic_prefix)
    labels = {"group": f"{kafka_settings.topic_prefix}.enrichment-retry", "topic": topic}
    async with monitoring(kafka_settings):
        await publish_aged(kafka_settings, topic, age_s=-600)  # due in ten minutes
        await until(lambda: figure("group_lag_records", **labels) == 1)
        await next_look()
        await next_look()
        assert figure("group_lag_seconds", **labels) == 0
        before_s = time.monotonic()
        await publish_aged(kafka_settings, topic, age_s=900, partition=1)
        await until(lambda: figure("group_lag_seconds", **labels) > 0)
        assert 890 <= figure("group_lag_seconds", **labels) <= 890 + seconds_since(before_s)


async def test_dead_letters_and_quarantine_are_counted_with_the_age_of_the_oldest(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    dead = dead_letter_topic("postgres", prefix=kafka_settings.topic_prefix)
    quarantine = quarantine_topic(prefix=kafka_settings.topic_prefix)
    before_s = time.monotonic()
    await publish_aged(kafka_settings, dead, age_s=3600)
    async with monitoring(kafka_settings):
        await until(lambda: figure("failed_records", topic=dead) == 1)
        oldest_s = figure("failed_oldest_seconds", topic=dead)
        assert 3600 <= oldest_s <= 3600 + seconds_since(before_s)
        assert figure("failed_end_offsets", topic=dead) == 1
        assert figure("failed_records", topic=quarantine) == 0
        assert figure("failed_oldest_seconds", topic=quarantine) == 0
        await publish(kafka_settings, *(Record(quarantine, b"%d" % n, b"v") for n in range(3)))
        await until(lambda: figure("failed_records", topic=quarantine) == 3)
        await until(lambda: figure("failed_oldest_seconds", topic=quarantine) > 0)


async def test_records_that_retention_deleted_before_a_group_read_them_are_counted(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    source = TopicPartition(enriched_topic("task", prefix=kafka_settings.topic_prefix), 0)
    labels = {"group": f"{kafka_settings.topic_prefix}.postgres", "topic": source.topic}
    await publish(
        kafka_settings, *(Record(source.topic, b"k", b"v", partition=0) for _ in range(10))
    )
    member = Member(kafka_settings, [source.topic], group="postgres")
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 10, member)
        await member.consumer.commit({source: Position(2)})
    async with monitoring(kafka_settings):
        await until(lambda: figure("group_lag_records", **labels) == 8)
        assert figure("group_expired_records", **labels) == 0
        await delete_before(kafka_settings, source, 7)
        await until(lambda: figure("group_expired_records", **labels) == 5)
        assert figure("group_lag_records", **labels) == 3


async def test_while_the_brokers_do_not_answer_the_figures_stay_and_readiness_says_why(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    topic = enriched_topic("task", prefix=kafka_settings.topic_prefix)
    labels = {"group": f"{kafka_settings.topic_prefix}.postgres", "topic": topic}
    await publish(kafka_settings, Record(topic, b"k", b"v"))
    async with proxy_before(kafka_settings.bootstrap_servers) as proxy:
        through = kafka_settings.model_copy(update={"bootstrap_servers": proxy.address})
        async with monitoring(through) as monitor:
            await until(lambda: figure("group_lag_records", **labels) == 1)
            await next_look()
            failures = figure("failures_total", kind="transient")
            proxy.deposed.add(topic)
            await until(lambda: monitor.readiness_problem() is not None)
            looked_at = figure("last_measurement_timestamp_seconds")
            await until(lambda: figure("failures_total", kind="transient") >= failures + 2)
            assert figure("last_measurement_timestamp_seconds") == looked_at
            assert figure("group_lag_records", **labels) == 1
            proxy.deposed.clear()
            await until(lambda: monitor.readiness_problem() is None)
            assert figure("last_measurement_timestamp_seconds") > looked_at


async def test_a_topic_that_does_not_exist_hides_nothing_of_the_other_groups(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings, workers={"postgres": ()})  # no retry topic, no other letters
    topic = enriched_topic("task", prefix=kafka_settings.topic_prefix)
    await publish(kafka_settings, Record(topic, b"k", b"v"))
    async with monitoring(kafka_settings) as monitor:
        labels = {"group": f"{kafka_settings.topic_prefix}.object-storage", "topic": topic}
        await until(lambda: figure("group_lag_records", **labels) == 1)
        await until(lambda: "do not exist" in (monitor.readiness_problem() or ""))
        assert "retry.enrichment.30s" in str(monitor.readiness_problem())
        await make_topics(kafka_settings)
        await until(lambda: monitor.readiness_problem() is None)


async def test_a_recreated_topic_is_counted_though_it_was_gone_for_a_while(
    kafka_settings: KafkaSettings,
) -> None:
    """The brokers forget the commits in a deleted topic, so that its workers may not know."""
    await make_topics(kafka_settings)
    topic = enriched_topic("task", prefix=kafka_settings.topic_prefix)
    other = enriched_topic("user", prefix=kafka_settings.topic_prefix)
    async with monitoring(kafka_settings) as monitor:
        await until(lambda: monitor.readiness_problem() is None)
        await next_look()
        assert figure("recreated_topics_total", topic=topic) == 0
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap_servers)
        await admin.start()
        await admin.delete_topics([topic])
        await admin.close()
        await until(lambda: topic in (monitor.readiness_problem() or ""))
        await make_topics(kafka_settings)
        await until(lambda: figure("recreated_topics_total", topic=topic) == 1)
        await next_look()
    assert figure("recreated_topics_total", topic=topic) == 1
    assert figure("recreated_topics_total", topic=other) == 0


async def test_a_worker_that_is_not_deployed_is_not_looked_at(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings, workers={"postgres": ()})
    settings = MonitorSettings(interval_s=0.1, workers=("postgres",))
    async with monitoring(kafka_settings, settings) as monitor:
        await until(lambda: monitor.readiness_problem() is None)
    prefix = kafka_settings.topic_prefix
    assert figure("group_members", group=f"{prefix}.postgres") == 0
    assert figure("group_members", group=f"{prefix}.object-storage") == -1
    assert figure("failed_records", topic=dead_letter_topic("enrichment", prefix=prefix)) == -1


async def test_the_process_starts_without_brokers_reports_itself_and_ends_on_sigterm(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZCC_")},
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "ZCC_MONITOR_HEALTH_HOST": "127.0.0.1",
        "ZCC_MONITOR_HEALTH_PORT": str(unused_tcp_port),
        "ZCC_MONITOR_WORKERS": json.dumps(["postgres"]),
        "ZCC_MONITOR_INTERVAL_S": "0.1",
    }
    process = Process("monitor", ("monitor",), environment, tmp_path / "monitor.log")
    url = f"http://127.0.0.1:{unused_tcp_port}"
    await process.start()
    try:
        async with asyncio.timeout(deadline_s):
            while (await get(f"{url}/healthz"))[0] != 200:
                await asyncio.sleep(0.1)
            while b"127.0.0.1:1" not in (await get(f"{url}/readyz"))[1]:
                await asyncio.sleep(0.1)
        _, metrics = await get(f"{url}/metrics")
        assert b'zcc_process_start_time_seconds{part="monitor"}' in metrics
        assert b"zcc_monitor_last_measurement_timestamp_seconds 0.0" in metrics
    finally:
        assert await process.stop(timeout_s=HANG_GUARD_S) == 0


def test_a_worker_that_does_not_exist_is_refused_with_the_names_of_ours() -> None:
    with pytest.raises(ValueError, match="oracle is not a worker; expected some of reference"):
        MonitorSettings(workers=("oracle",))
