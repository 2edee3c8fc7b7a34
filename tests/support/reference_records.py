"""Records of the reference topic, as its writers make them."""

from itertools import count

from runtime.values import Delivery
from schemas.envelope import JsonObject
from schemas.reference_record import ReferenceKey, Snapshot

topic = "zcc.reference.v1"
_offsets = count()


def snapshot(
    id_: str,
    as_of_ms: int,
    state: JsonObject | None,
    *,
    entity: str = "user",
    account_id: str = "a",
) -> Snapshot:
    return Snapshot(ReferenceKey(account_id, entity, id_), as_of_ms, state)


def delivery_of(written: Snapshot) -> Delivery:
    key, value = written.key.encode(), written.value
    return Delivery(topic, 0, next(_offsets), key, value, written.headers, 0)


def raw(key: bytes | None, value: bytes | None) -> Delivery:
    """A record that another program wrote at 5 ms."""
    return Delivery(topic, 0, next(_offsets), key, value, (), 5)
