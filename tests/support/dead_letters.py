"""Dead letters on real Kafka, and `zcc dead-letters` as a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operations.components import workers
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.retries.dead_letters import Failure, dead_letter
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.headers import Headers
from schemas.reasons import DeadLetterReason
from schemas.topics import (
    dead_letter_audit_topic,
    dead_letter_topic,
    enriched_topic,
    raw_topic,
    retry_topic,
    topic_specs,
)
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S

root = Path(__file__).parents[2]
STARTED, ENDED = "contact_center.engagement_started", "contact_center.engagement_ended"


class Deployment:
    """The topics of a deployment that matter here, and a person before them."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        prefix = kafka.topic_prefix
        self.raw = raw_topic("engagement", prefix=prefix)
        self.enriched = enriched_topic("engagement", prefix=prefix)
        self.retry = retry_topic("enrichment", 10, prefix=prefix)
        self.audit = dead_letter_audit_topic(prefix=prefix)

    def dead(self, worker: str) -> str:
        return dead_letter_topic(worker, prefix=self.kafka.topic_prefix)

    async def make_topics(self) -> None:
        names = {self.raw, self.enriched, self.retry, self.audit, *map(self.dead, workers)}
        specs = [s for s in topic_specs(self.kafka.topic_plan, workers) if s.name in names]
        assert len(specs) == len(names)
        async with TopicAdmin(self.kafka) as admin:
            await admin.apply(specs)

    async def produce(self, records: Iterable[Record]) -> None:
        async with (
            KafkaPublisher(self.kafka, client_id="test", clock=SystemClock()) as publisher,
            asyncio.timeout(HANG_GUARD_S),
        ):
            for batch in batches(records):
                async with asyncio.TaskGroup() as tasks:
                    for record in batch:
                        tasks.create_task(publish_once(publisher, record))

    async def add_letters(self, *letters: Record) -> None:
        await self.produce(letters)

    async def read(self, topic: str) -> list[Delivery]:
        return await records_of(self.kafka, [topic])

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "operations", "dead-letters", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ZCC_")}
        return clean | {
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "ZCC_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
        }

    async def zcc(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            self.command(*arguments),
            cwd=root,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
            check=False,
        )

    async def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints for programs; it must find something."""
        done = await self.zcc(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def batches(records: Iterable[Record]) -> Iterable[Sequence[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == 1000:
            yield batch
            batch = []
    yield batch


def letter(
    deployment: Deployment,
    number: int,
    *,
    worker: str = "enrichment",
    reason: DeadLetterReason = DeadLetterReason.DEFECT,
    event: str = STARTED,
    error: str = "no such row",
    hour: int = 9,
    topic: str = "",
    headers: Headers = (),
    size: int = 20,
) -> Record:
    """A dead letter of record ``number`` of partition 1 of the topic."""
    delivery = Delivery(
        topic=topic or deployment.raw,
        partition=1,
        offset=number,
        key=b"account:engagement-%d" % (number % 7),
        value=(b"secret body %d" % number).ljust(size),
        headers=(
            ("ce_id", b"event-%d" % number),
            ("ce_type", event.encode()),
            ("zcc-event-id", b"event-%d" % number),
            ("odd", b"\xff\x00"),
            *headers,
        ),
        timestamp_ms=1,
    )
    failed_at = datetime(2026, 1, 15, hour, number % 60, tzinfo=UTC)
    failure = Failure(worker, reason, error, 3, failed_at)
    return dead_letter(delivery, failure, topic=deployment.dead(worker))


def read_before(record: Record) -> tuple[bytes | None, bytes | None, Headers]:
    """What the worker had read, of a letter made by `letter`: its first headers are those."""
    names = [name for name, _ in record.headers]
    return record.key, record.value, record.headers[: names.index("zcc-reason")]
