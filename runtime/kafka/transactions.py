"""Publishes in transactions; entering with a transactional id fences every earlier user of it.

At its start the library requests an identity. The coordinator raises the epoch of the id, aborts
the open transaction of the previous user, and answers once the markers of that are in all
partitions. From then on the coordinator and the partitions refuse older epochs, and a reader of
committed records up to the end of a log sees everything that the previous user has committed.

Source: KIP-98, sections InitPidRequest and zombie fencing; KIP-360.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer, errors

from runtime.errors import FencedError, RejectedError
from runtime.kafka.compression import compress_lightly
from runtime.kafka.connection import answering, connecting, connection_options, know_brokers
from runtime.kafka.error_codes import CodeFault, fault_of
from runtime.kafka.producer_closing import close_producer
from runtime.kafka.topic_lookup import learn_topic
from runtime.partitioner import partition_of
from runtime.ports import TransactionalPublisher
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.reasons import DeadLetterReason

_batch_bytes: Final = 256 * 1024
_max_record_bytes: Final = 64 * 1024 * 1024
"""The library's own limit is lifted: the topic decides."""
_request_timeout_ms: Final = 5_000
_publish_s: Final = 10.0
_transaction_timeout_ms: Final = 15_000
"""Readers of committed records wait for an open transaction: one whose member froze is aborted
after this time; a transaction that is only slow has been abandoned here before."""

_fencing: Final = (
    errors.ProducerFenced,
    errors.InvalidProducerEpoch,
    errors.InvalidProducerIdMapping,
    errors.InvalidTxnState,
)
_too_large: Final = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


@asynccontextmanager
async def transactions(
    settings: KafkaSettings, *, transactional_id: str
) -> AsyncIterator[TransactionalPublisher]:
    """Publish with this id; see `runtime.ports.TransactionalPublisher`.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: they refuse.
    """
    compress_lightly()
    producer = AIOKafkaProducer(
        **connection_options(settings),
        client_id=transactional_id,
        transactional_id=transactional_id,
        transaction_timeout_ms=_transaction_timeout_ms,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=_batch_bytes,
        max_request_size=_max_record_bytes,
        request_timeout_ms=_request_timeout_ms,
    )
    try:
        async with connecting(settings):
            await producer.client.bootstrap()
            await know_brokers(producer.client)
            # Not `AIOKafkaProducer.start`: it would look for the coordinator before it knows a
            # broker.
            await producer._sender.start()  # noqa: SLF001 - as said
        yield _Transactions(producer)
    finally:
        await close_producer(producer)
        _retrieve_error(producer)


def _retrieve_error(producer: AIOKafkaProducer) -> None:
    """Retrieve the error of a transaction; a record has raised it already."""
    waiter = producer._txn_manager._transaction_waiter  # noqa: SLF001 - the library would log it
    if waiter is not None and waiter.done() and not waiter.cancelled():
        waiter.exception()


class _Transactions(TransactionalPublisher):
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._turns = 0

    async def publish(self, records: Sequence[Record]) -> None:
        if not records:
            return
        async with answering("publish a transaction", timeout_s=_publish_s):
            try:
                await self._commit(records)
            except _fencing as error:
                raise FencedError(f"publish: {type(error).__name__}") from error
            except errors.BrokerResponseError as error:
                if fault_of(error.errno) is CodeFault.RECORD:
                    raise _refusal(records, error) from error
                raise

    async def _commit(self, records: Sequence[Record]) -> None:
        producer = self._producer
        partitions = [await self._partition(record) for record in records]
        await producer.begin_transaction()
        acknowledged = [
            await producer.send(
                record.topic, record.value, record.key, partition, headers=list(record.headers)
            )
            for record, partition in zip(records, partitions, strict=True)
        ]
        await asyncio.gather(*acknowledged)
        await producer.commit_transaction()

    async def _partition(self, record: Record) -> int:
        cluster = self._producer.client.cluster
        if not cluster.partitions_for_topic(record.topic):
            await learn_topic(self._producer, record.topic)
        count = len(cluster.partitions_for_topic(record.topic) or ())
        if record.partition is not None:
            return record.partition
        if record.key is not None:
            return partition_of(record.key, partitions=count)
        self._turns += 1
        return self._turns % count


def _refusal(records: Sequence[Record], error: errors.BrokerResponseError) -> RejectedError:
    topics = ", ".join(sorted({record.topic for record in records}))
    is_too_large = isinstance(error, _too_large)
    reason = DeadLetterReason.TOO_LARGE if is_too_large else DeadLetterReason.REFUSED_BY_TOPIC
    return RejectedError(reason, f"one of {topics} takes no record like it: {type(error).__name__}")
