"""The largest records that the product makes fit through topics as it sets them up."""

import asyncio
import random
from collections.abc import Collection

import pytest

from ingest.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.errors import RejectedError
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Record, TopicPartition
from schemas.reasons import DeadLetterReason
from schemas.topics import (
    dead_letter_topic,
    enriched_topic,
    quarantine_topic,
    raw_topic,
    topic_specs,
)
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
body_bytes: int = IngestSettings.model_fields["max_body_bytes"].default
story_bytes = 100_000
"""More than headers, names and the story of a failure add."""


class Listener:
    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        pass

    async def assigned(self, assignment: Assignment) -> None:
        pass


async def test_a_body_of_the_largest_size_passes_every_topic_on_its_way(
    kafka_settings: KafkaSettings,
) -> None:
    prefix = kafka_settings.topic_prefix
    noise = random.Random(1).randbytes(2 * 1024 * 1024)  # does not compress
    largest = {
        raw_topic("asset", prefix=prefix): noise[:body_bytes],
        quarantine_topic(prefix=prefix): noise[:body_bytes],
        enriched_topic("asset", prefix=prefix): noise[: body_bytes + story_bytes],
        dead_letter_topic("w", prefix=prefix): noise[: body_bytes + 2 * story_bytes],
    }
    specs = [s for s in topic_specs(kafka_settings.topic_plan, {"w": ()}) if s.name in largest]
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(specs)
    async with (
        asyncio.timeout(deadline_s),
        KafkaPublisher(kafka_settings, client_id="t", clock=SystemClock()) as publisher,
    ):
        while not publisher.ready:
            await asyncio.sleep(0.01)
        for topic, value in largest.items():
            await publisher.publish(Record(topic, b"k", value))
            await publisher.publish(Record(topic, b"k", b"next"))
        (raw, *_) = largest
        with pytest.raises(RejectedError) as refused:
            await publisher.publish(Record(raw, b"k", noise))
        assert refused.value.reason is DeadLetterReason.TOO_LARGE

    wanted = {topic: [value, b"next"] for topic, value in largest.items()}
    scanned: dict[str, list[bytes | None]] = {topic: [] for topic in largest}
    polled: dict[str, list[bytes | None]] = {topic: [] for topic in largest}
    async with (
        asyncio.timeout(deadline_s),
        KafkaConsumer(
            kafka_settings,
            # So little that one record is more than a worker fetches at once.
            WorkerSettings(in_flight_bytes=64 * 1024, session_timeout_s=6),
            group=f"{prefix}.g",
            topics=list(largest),
            listener=Listener(),
            client_id="t",
            clock=SystemClock(),
        ) as consumer,
    ):
        for delivery in await records_of(kafka_settings, list(largest)):
            scanned[delivery.topic].append(delivery.value)
        while sum(map(len, polled.values())) < 2 * len(largest):
            for delivery in await consumer.poll(max_records=10, timeout_s=1):
                polled[delivery.topic].append(delivery.value)
    assert scanned == wanted
    assert polled == wanted
