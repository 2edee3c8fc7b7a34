"""Closes a producer of the library, in any state of the brokers."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, errors

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.connection import answering

_close_s: Final = 1.0

log = structlog.get_logger()


async def close_producer(producer: AIOKafkaProducer) -> None:
    """Close, and fail all unacknowledged records.

    The library would wait until all of it is.
    """
    sender = producer._sender.sender_task  # noqa: SLF001 - no other way in
    if sender is not None:
        for _ in range(2):  # the first makes it wait for what is on the way, the second no longer
            sender.cancel()
            await asyncio.wait([sender], timeout=_close_s)
        if sender.done() and not sender.cancelled():
            sender.exception()  # the callers that waited have its error
        _fail_all(producer)
    try:
        async with answering("close the producer", timeout_s=_close_s):
            await producer.stop()
    except (TransientError, FencedError, ConfigurationError) as error:
        log.warning("producer closed without a flush", error=str(error))
        with suppress(TransientError, FencedError, ConfigurationError):
            async with answering("close the connections", timeout_s=_close_s):
                await producer.client.close()


def _fail_all(producer: AIOKafkaProducer) -> None:
    accumulator = producer._message_accumulator  # noqa: SLF001 - as above
    waiting = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001 - as above
    accumulator.fail_all(errors.ProducerClosed())
    for batch in waiting:
        batch._drain_waiter.exception()  # noqa: SLF001 - nobody may wait for it: not worth a log line
