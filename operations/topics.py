"""`zcc topics`: the topics as the settings say, made or compared."""

from operations.components import workers
from runtime.kafka import TopicAdmin, TopicChanges
from runtime.settings import KafkaSettings
from schemas.topics import topic_specs


async def apply(kafka: KafkaSettings) -> TopicChanges:
    """Create and alter what differs; return what was done and what cannot be."""
    async with TopicAdmin(kafka) as admin:
        return await admin.apply(list(topic_specs(kafka.topic_plan, workers)))


async def check(kafka: KafkaSettings) -> TopicChanges:
    """Return what `apply` would do."""
    async with TopicAdmin(kafka) as admin:
        return await admin.check(list(topic_specs(kafka.topic_plan, workers)))
