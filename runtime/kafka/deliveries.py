"""Records of the library as the runtime knows them."""

from aiokafka.structs import ConsumerRecord

from runtime.values import Delivery


def delivery_of(record: ConsumerRecord) -> Delivery:
    """Return the record as read; a header without a value has an empty one."""
    return Delivery(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple((name, value or b"") for name, value in record.headers),
        record.timestamp,
    )
