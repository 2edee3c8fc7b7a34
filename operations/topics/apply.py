"""Creates the topics of a deployment as the settings say, or compares them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from operations.topics.specs import deployment_specs, like_events
from runtime.kafka import TopicAdmin, TopicChanges
from runtime.settings import KafkaSettings
from schemas.topics import TopicSpec, dead_letter_topic, retry_topic, topic_specs


@dataclass(frozen=True, slots=True)
class OwnProcessor:
    """A processor that is not part of the product: its output topics and its retry delays.

    ``outputs`` are names of topics below the prefix, such as ``answers.v1``.
    """

    name: str
    outputs: Sequence[str] = ()
    retry_delays_s: Sequence[int] = ()


async def apply(kafka: KafkaSettings, own: OwnProcessor | None = None) -> TopicChanges:
    """Create and alter the topics that differ; return the changes and what cannot be changed."""
    async with TopicAdmin(kafka) as admin:
        return await admin.apply(_specs(kafka, own))


async def check(kafka: KafkaSettings, own: OwnProcessor | None = None) -> TopicChanges:
    """Return the changes that `apply` would make."""
    async with TopicAdmin(kafka) as admin:
        return await admin.check(_specs(kafka, own))


def _specs(kafka: KafkaSettings, own: OwnProcessor | None) -> list[TopicSpec]:
    specs = deployment_specs(kafka.topic_plan)
    if own is not None:
        specs += _specs_of(own, kafka)
    return specs


def _specs_of(own: OwnProcessor, kafka: KafkaSettings) -> Iterator[TopicSpec]:
    prefix, plan = kafka.topic_prefix, kafka.topic_plan
    letters = dead_letter_topic(own.name, prefix=prefix)
    yield next(spec for spec in topic_specs(plan, {own.name: ()}) if spec.name == letters)
    retries = (retry_topic(own.name, delay_s, prefix=prefix) for delay_s in own.retry_delays_s)
    outputs = (f"{prefix}.{output}" for output in own.outputs)
    yield from like_events(plan, chain(retries, outputs))
