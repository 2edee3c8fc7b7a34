"""Finds out whether a topic exists, for producers: without creating it, and in bounded time.

The library's own lookup creates a missing topic where brokers allow it, or waits for it for ever.
"""

import asyncio
from typing import Final

from aiokafka import AIOKafkaProducer, errors
from aiokafka.protocol.metadata import MetadataRequest

from runtime.errors import TransientError

_timeout_s: Final = 2.0


async def learn_topic(producer: AIOKafkaProducer, topic: str) -> None:
    """Have a producer know the partitions of a topic.

    Raises:
        TransientError: it does not exist, or no broker answers.
        KafkaError: as the library has it.
    """
    client = producer.client
    request = MetadataRequest([topic], allow_auto_topic_creation=False)
    try:
        async with asyncio.timeout(_timeout_s):
            answer = await client.send(client.get_random_node(), request)
            topic_answer = answer.to_object()["topics"][0]
            if errors.for_code(topic_answer["error_code"]) is errors.UnknownTopicOrPartitionError:
                raise TransientError(f"{topic} does not exist: `zcc topics apply` creates it")
            await producer.partitions_for(topic)
    except TimeoutError as error:
        raise TransientError(f"publish to {topic}: no broker answers") from error
