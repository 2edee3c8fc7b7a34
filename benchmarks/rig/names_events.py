"""The events of `benchmarks.names`: on the raw topics as ingest writes them, read back later."""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from benchmarks.rig.names_records import Seen, seen
from benchmarks.rig.sink_events import connected
from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from operations.topics.specs import deployment_specs
from runtime.clock import SystemClock
from runtime.kafka import TopicAdmin, read_all
from runtime.settings import KafkaSettings
from runtime.topic_settings import wanted_configs
from schemas.topics import enriched_topics, raw_topics
from simulator.company import Company
from simulator.state import State, apply_events
from simulator.stories import live_stream

_key: Final = b"pseudonym-key-of-a-benchmark"
_acknowledged_s: Final = 60.0


@dataclass(slots=True)
class Source:
    """Puts the events of the company's stories on the raw topics, at a steady rate."""

    kafka: KafkaSettings
    company: Company
    state: State
    rate_per_s: float
    seed: int = 1
    produced: int = 0
    acknowledged: int = 0
    failed: int = 0
    latest_s: float = 0.0
    """How late an event was sent at most."""

    async def produce(self, seconds: float) -> None:
        """Send for so long, and wait for the acknowledgements.

        Raises:
            RuntimeError: the broker has not taken an event.
        """
        routing, clock = RoutingSettings(self.kafka.topic_prefix, _key), SystemClock()
        stream = live_stream(
            self.company, seed=self.seed, now=clock.now(), count=None, rate_per_s=self.rate_per_s
        )
        events = apply_events(self.state, stream, clock.now)
        async with connected(self.kafka) as publisher:
            begun_s = time.monotonic()
            while (due_s := self.produced / self.rate_per_s) < seconds:
                ahead_s = begun_s + due_s - time.monotonic()
                self.latest_s = max(self.latest_s, -ahead_s)
                await asyncio.sleep(max(0.0, ahead_s))
                body = next(events).body
                now_ms = time.time_ns() // 1_000_000
                decision = decide(SignedRequest("default", body, b"secret", now_ms), routing)
                if not isinstance(decision, RoutedEvent):
                    raise TypeError(f"not an event: {body[:200]!r}")
                self.produced += 1
                publisher.send(decision.record, self._settled)
            async with asyncio.timeout(_acknowledged_s):
                while self.acknowledged + self.failed < self.produced:  # noqa: ASYNC110 - counted there
                    await asyncio.sleep(0.05)
        if self.failed:
            raise RuntimeError(f"the broker has not taken {self.failed} events")

    def _settled(self, error: Exception | None) -> None:
        if error is None:
            self.acknowledged += 1
        else:
            self.failed += 1


async def make_topics(kafka: KafkaSettings) -> None:
    """Create the topics; records of raw and enriched ones get the broker's time of their append."""
    specs = deployment_specs(kafka.topic_plan)
    async with TopicAdmin(kafka) as admin:
        await admin.apply(specs)
    dated = {*raw_topics(prefix=kafka.topic_prefix), *enriched_topics(prefix=kafka.topic_prefix)}
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        await client.alter_configs(
            [
                ConfigResource(
                    ConfigResourceType.TOPIC,
                    spec.name,
                    {**wanted_configs(spec), "message.timestamp.type": "LogAppendTime"},
                )
                for spec in specs
                if spec.name in dated
            ]
        )
    finally:
        await client.close()


async def records(
    kafka: KafkaSettings, topics: Collection[str], *, enriched: bool
) -> Sequence[Seen]:
    """Return what the topics hold."""
    async with aclosing(read_all(kafka, topics)) as deliveries:
        return [seen(delivery, enriched=enriched) async for delivery in deliveries]
