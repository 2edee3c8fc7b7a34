"""Batches are compressed at the level that was chosen, and every client can read them."""

from aiokafka.codec import lz4_encode
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from runtime.kafka.compression import compress_lightly

_lz4 = 3
_header_bytes = 61
"""Source: Kafka message format, record batch of magic 2."""
_values = [b'{"event":"contact_center.engagement_started","number":%d}' % n for n in range(200)]


def _batch() -> bytes:
    builder = BatchBuilder(1024 * 1024, _lz4)
    for value in _values:
        builder.append(timestamp=1, key=b"key", value=value, headers=[])
    builder._set_producer_state(1, 0, 0)
    return bytes(builder._build())


def test_a_batch_is_compressed_at_the_lowest_level_and_reads_as_it_was() -> None:
    compress_lightly()
    batch = _batch()
    records = batch[_header_bytes:]
    read = DefaultRecordBatch(batch)
    assert [record.value for record in read] == _values
    plain = BatchBuilder(1024 * 1024, 0)
    for value in _values:
        plain.append(timestamp=1, key=b"key", value=value, headers=[])
    plain._set_producer_state(1, 0, 0)
    uncompressed = bytes(plain._build())[_header_bytes:]
    assert records == lz4_encode(uncompressed, level=1)
    assert records != lz4_encode(uncompressed, level=9)
