"""`zcc topics`: the topics as the settings say, made or compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from operations.components import workers
from runtime.kafka import TopicAdmin, TopicChanges
from runtime.settings import KafkaSettings
from schemas.topics import TopicSpec, dead_letter_topic, raw_topic, retry_topic, topic_specs


@dataclass(frozen=True, slots=True)
class OwnProcessor:
    """A processor that is none of the product's: what it writes to, and its retry delays.

    ``outputs`` are names of topics below the prefix, such as ``answers.v1``.
    """

    name: str
    outputs: Sequence[str] = ()
    retry_delays_s: Sequence[int] = ()


async def apply(kafka: KafkaSettings, own: OwnProcessor | None = None) -> TopicChanges:
    """Create and alter what differs; return what was done and what cannot be."""
    async with TopicAdmin(kafka) as admin:
        return await admin.apply(_specs(kafka, own))


async def check(kafka: KafkaSettings, own: OwnProcessor | None = None) -> TopicChanges:
    """Return what `apply` would do."""
    async with TopicAdmin(kafka) as admin:
        return await admin.check(_specs(kafka, own))


def _specs(kafka: KafkaSettings, own: OwnProcessor | None) -> list[TopicSpec]:
    specs = list(topic_specs(kafka.topic_plan, workers))
    if own is not None:
        specs += _specs_of(own, kafka)
    return specs


def _specs_of(own: OwnProcessor, kafka: KafkaSettings) -> Iterator[TopicSpec]:
    """Yield the topics of a processor, set up as those of the product are."""
    prefix = kafka.topic_prefix
    alone = {spec.name: spec for spec in topic_specs(kafka.topic_plan, {own.name: ()})}
    yield alone[dead_letter_topic(own.name, prefix=prefix)]
    events = alone[raw_topic("engagement", prefix=prefix)]
    for delay_s in own.retry_delays_s:
        yield replace(events, name=retry_topic(own.name, delay_s, prefix=prefix))
    for output in own.outputs:
        yield replace(events, name=f"{prefix}.{output}")
