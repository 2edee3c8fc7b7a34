"""Pure: parses one delivery of the topic of engagement outcomes."""

import hashlib
from typing import NamedTuple

from runtime.errors import RejectedError
from runtime.values import Delivery
from schemas.envelope import JsonObject, UnreadableError
from schemas.reasons import DeadLetterReason
from sinks.postgres.model.content import read_content, without_nul
from sinks.postgres.model.events import stamp
from sinks.postgres.model.json_fields import id_text, moment_ms, object_in, text


class ParsedOutcome(NamedTuple):
    """What Zoom told of an engagement at ``as_of_ms``, epoch milliseconds.

    ``outcome`` is the member of that name, ``document`` the whole snapshot. None and empty: the
    snapshot was taken out of the topic.
    """

    delivery: Delivery
    account_id: str
    engagement_id: str
    as_of_ms: int
    document: JsonObject
    outcome: JsonObject | None

    @property
    def revision(self) -> int:
        """Always 0: a snapshot has none."""
        return 0

    @property
    def stamp(self) -> bytes:
        """Bytes that order the snapshots of an engagement by their time, then by content."""
        digest = hashlib.sha256(self.delivery.value or b"").digest()
        return stamp(self.as_of_ms, self.as_of_ms, digest, self.revision)


def read_outcome(delivery: Delivery) -> ParsedOutcome:
    """Parse a delivery.

    Raises:
        RejectedError: it violates the topic's contract; the detail holds no personal data.
    """
    if delivery.value is None:
        return _gone(delivery)
    try:
        content = read_content(delivery.value).parsed
    except UnreadableError as error:
        raise _unreadable(f"the value is not an outcome: {error.reason}") from None
    account_id, engagement_id = id_text(content, "account_id"), id_text(content, "engagement_id")
    as_of_ms, outcome = moment_ms(content, "as_of"), object_in(content, "outcome")
    if not (account_id and engagement_id and text(content, "status")):
        raise _unreadable("expected account_id, engagement_id and status")
    if as_of_ms is None or outcome is None:
        raise _unreadable("expected as_of and outcome")
    return ParsedOutcome(delivery, account_id, engagement_id, as_of_ms, content, outcome)


def _gone(delivery: Delivery) -> ParsedOutcome:
    key = (delivery.key or b"").decode("utf-8", "replace")
    account_id, _, engagement_id = without_nul(key).partition(":")
    return ParsedOutcome(delivery, account_id, engagement_id, delivery.timestamp_ms, {}, None)


def _unreadable(detail: str) -> RejectedError:
    return RejectedError(DeadLetterReason.UNREADABLE, detail)
