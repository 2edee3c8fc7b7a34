"""Reads topics once and without a group, for accounting and reports."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as LibraryPartition
from aiokafka.structs import ConsumerRecord

from runtime.kafka.cluster import Cluster
from runtime.kafka.connection import answering, connecting, connection_options
from runtime.kafka.deliveries import delivery_of
from runtime.settings import KafkaSettings
from runtime.values import Delivery, TopicPartition

silence_s: Final = 20.0
_client_id: Final = "zcc-scan"
_records: Final = 1000
_large_piece_bytes: Final = 1024 * 1024
_small_piece_bytes: Final = 4096
"""Each answer contains at least one batch, even a larger one."""
_wait_ms: Final = 200
_close_s: Final = 5.0


async def read_all(settings: KafkaSettings, topics: Collection[str]) -> AsyncIterator[Delivery]:
    """Yield all records that the topics hold at the time of the call, in order by partition.

    It ends there, even if records are added, deleted or compacted meanwhile.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: a topic does not exist, or the brokers refuse.
    """
    async with Cluster(settings, client_id=_client_id) as cluster:
        bounds = await cluster.log_bounds(await cluster.partitions(topics))
    ends = {source: end for source, (start, end) in bounds.items() if start < end}
    if not ends:
        return
    async with _reader(settings, {source: bounds[source].start for source in ends}) as reader:
        async for delivery in _until(reader, ends):
            yield delivery


async def latest(settings: KafkaSettings, topic: str, *, records: int) -> Sequence[Delivery]:
    """Return the last records of a topic, at most this many per partition, in order within each.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: the topic does not exist, or the brokers refuse.
    """
    async with Cluster(settings, client_id=_client_id) as cluster:
        bounds = await cluster.log_bounds(await cluster.partitions([topic]))
    ends = {source: end for source, (start, end) in bounds.items() if start < end}
    if not ends:
        return ()
    starts = {source: max(bounds[source].start, end - records) for source, end in ends.items()}
    async with _reader(settings, starts) as reader:
        return [delivery async for delivery in _until(reader, ends)]


async def require_topics(settings: KafkaSettings, topics: Collection[str]) -> None:
    """Refuse unless all of these topics exist.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: one does not exist, or the brokers refuse.
    """
    async with Cluster(settings, client_id=_client_id) as cluster:
        await cluster.partitions(topics)


async def timestamps_at(
    settings: KafkaSettings, positions: Mapping[TopicPartition, int]
) -> Mapping[TopicPartition, int]:
    """Return the timestamp of the first record from each of these offsets on.

    It is the time by the sender's clock. Partitions without such a record are left out.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: the brokers refuse.
    """
    if not positions:
        return {}
    async with Cluster(settings, client_id=_client_id) as cluster:
        ends = await cluster.log_ends(positions)
    pending = {LibraryPartition(*source): ends[source] for source in positions}
    timestamps: dict[TopicPartition, int] = {}
    async with _reader(settings, positions, piece_bytes=_small_piece_bytes) as reader:
        while pending:
            async with answering("read on", timeout_s=silence_s):
                pieces, arrived = await _advance(reader, pending)
            for partition, records in pieces.items():
                timestamps[TopicPartition(*partition)] = records[0].timestamp
            for partition in {*pieces, *arrived}:
                del pending[partition]
                reader.pause(partition)
    return timestamps


@asynccontextmanager
async def _reader(
    settings: KafkaSettings,
    starts: Mapping[TopicPartition, int],
    *,
    piece_bytes: int = _large_piece_bytes,
) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(
        **connection_options(settings),
        client_id=_client_id,
        enable_auto_commit=False,
        isolation_level="read_committed",
        # Skips records that retention deletes after the start was looked up.
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_wait_ms,
        max_partition_fetch_bytes=piece_bytes,
    )
    try:
        async with connecting(settings):
            await reader.start()
        reader.assign([LibraryPartition(*source) for source in starts])
        for source, start in starts.items():
            reader.seek(LibraryPartition(*source), start)
        yield reader
    finally:
        async with answering("close the reader", timeout_s=_close_s):
            await reader.stop()


async def _until(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Delivery]:
    """Yield the records before the ends, and stop when all positions have reached them.

    Positions, not offsets of records: the last offsets may belong to a transaction marker or to
    compacted records.
    """
    pending = {LibraryPartition(*source): end for source, end in ends.items()}
    while pending:
        async with answering("read on", timeout_s=silence_s):
            pieces, arrived = await _advance(reader, pending)
        for partition, records in pieces.items():
            for record in records:
                if record.offset < pending[partition]:
                    yield delivery_of(record)
        for partition in arrived:
            del pending[partition]
            reader.pause(partition)


async def _advance(
    reader: AIOKafkaConsumer, ends: Mapping[LibraryPartition, int]
) -> tuple[Mapping[LibraryPartition, Sequence[ConsumerRecord]], Collection[LibraryPartition]]:
    """Return the next records and the partitions that are read to their ends; never both empty."""
    while True:
        pieces = await reader.getmany(*ends, timeout_ms=_wait_ms, max_records=_records)
        arrived = [
            partition for partition, end in ends.items() if await reader.position(partition) >= end
        ]
        if pieces or arrived:
            return pieces, arrived
