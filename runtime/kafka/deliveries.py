"""Converts records of the library into deliveries."""

from collections.abc import Sequence
from typing import cast

from aiokafka.structs import ConsumerRecord

from runtime.values import Delivery
from schemas.headers import Headers


def delivery_of(record: ConsumerRecord) -> Delivery:
    """Return the record as a delivery. A header without a value gets an empty one."""
    return Delivery(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        _headers(record.headers),
        record.timestamp,
    )


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> Headers:
    for _, value in headers:
        if value is None:
            return tuple((name, value or b"") for name, value in headers)
    return cast("Headers", tuple(headers))
