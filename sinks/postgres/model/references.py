"""Pure: parses one delivery of the reference topic: an entity's state at some time."""

import hashlib
from typing import NamedTuple

from runtime.errors import RejectedError
from runtime.values import Delivery
from schemas.enriched_record import UnreadableRecordError
from schemas.envelope import JsonObject, UnreadableError
from schemas.reasons import DeadLetterReason
from schemas.reference_record import as_of_ms as header_as_of_ms
from schemas.reference_record import read_key
from sinks.postgres.model.content import read_content, without_nul
from sinks.postgres.model.events import stamp
from sinks.postgres.model.json_fields import moment_ms, object_in, text


class ParsedReference(NamedTuple):
    """One entity at ``as_of_ms``, epoch milliseconds; ``state`` None means that it is gone.

    Its stamp orders it among the events, so that the newer state stays, whichever came first.
    """

    delivery: Delivery
    account_id: str
    entity: str
    id: str
    as_of_ms: int
    state: JsonObject | None

    @property
    def revision(self) -> int:
        """Always 0: the enrichment has no part in it."""
        return 0

    @property
    def stamp(self) -> bytes:
        """Bytes that order it among events by its time; of one time, a deletion comes last."""
        content = (self.delivery.key or b"", self.delivery.value or b"")
        digest = hashlib.sha256(b"\0".join(content)).digest()
        return stamp(self.as_of_ms, self.as_of_ms + (self.state is None), digest, self.revision)


def read_reference(delivery: Delivery) -> ParsedReference:
    """Parse a delivery; one without a value says that the entity is gone, as of its header.

    Raises:
        RejectedError: it violates the topic's contract; the detail holds no personal data.
    """
    if delivery.value is None:
        return _gone(delivery)
    try:
        content = read_content(delivery.value).parsed
    except UnreadableError as error:
        raise _unreadable(f"the value is not a reference: {error.reason}") from None
    account_id, entity, entity_id = (text(content, m) for m in ("account_id", "entity", "id"))
    as_of_ms, state = moment_ms(content, "as_of"), object_in(content, "state")
    if not (account_id and entity and entity_id) or as_of_ms is None or state is None:
        raise _unreadable("expected account_id, entity, id, as_of and state")
    return ParsedReference(delivery, account_id, entity, entity_id, as_of_ms, state)


def _gone(delivery: Delivery) -> ParsedReference:
    try:
        key = read_key(delivery.key)
    except UnreadableRecordError as error:
        raise _unreadable(str(error)) from None
    parts = tuple(without_nul(part) for part in key)
    if not all(parts):
        raise _unreadable("expected a key of account_id:entity:id")
    moment_ms = header_as_of_ms(delivery.headers, timestamp_ms=delivery.timestamp_ms)
    account_id, entity, entity_id = parts
    return ParsedReference(delivery, account_id, entity, entity_id, moment_ms, None)


def _unreadable(detail: str) -> RejectedError:
    return RejectedError(DeadLetterReason.UNREADABLE, detail)
