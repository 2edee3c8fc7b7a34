"""Reads and writes records of topics, however long a loaded broker takes to answer."""

import asyncio
from collections.abc import Collection

from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher, read_all
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from tests.support.patience import HANG_GUARD_S


async def records_of(kafka: KafkaSettings, topics: Collection[str]) -> list[Delivery]:
    """Return all records that the topics hold now."""
    async with asyncio.timeout(HANG_GUARD_S):
        while True:
            try:
                return [delivery async for delivery in read_all(kafka, topics)]
            except TransientError:
                await asyncio.sleep(0.2)


async def publish_once(publisher: KafkaPublisher, record: Record) -> None:
    """Publish a record as soon as the publisher is connected; it is sent once."""
    acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settled(error: Exception | None) -> None:
        if error is None:
            acknowledged.set_result(None)
        else:
            acknowledged.set_exception(error)

    async with asyncio.timeout(HANG_GUARD_S):
        while True:
            try:
                publisher.send(record, settled)
            except TransientError:  # nothing was sent
                await asyncio.sleep(0.05)
            else:
                return await acknowledged
