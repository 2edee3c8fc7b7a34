"""Pure: the records of an outcome: a snapshot, and a revision of the event that ended it.

The number of a revision is 100 and the whole seconds from the event to Zoom's answer. So it is
higher than those of corrected names, which count from 2; it rises with time, over restarts too; and
stores, which keep the highest revision, keep the newest answer.
"""

from typing import Final, Protocol

import orjson

from processors.outcomes.parts import Part
from processors.outcomes.progress import OutcomeProgress
from runtime.values import Delivery, Record
from schemas.envelope import JsonObject
from schemas.headers import (
    Headers,
    as_of_header,
    ce_id,
    event_id_header,
    revision_header,
    text,
    timestamp,
)

first_revision: Final = 100
_largest_revision: Final = 999_999_999
"""What readers of the header accept; 31 years after the event."""

entity: Final = "engagement_outcome"


class Enrich(Protocol):
    """Makes the body of an enriched event."""

    def __call__(
        self, body: bytes, *, revision: int, enriched_at: str, outcome: JsonObject
    ) -> bytes:
        """Return the body with the member ``enrichment``; ``outcome`` is its member of this name.

        The member has all names that are known now, so that a revision is never poorer than the
        one before it. ``enriched_at`` is RFC 3339.
        """
        ...


def missing_of(progress: OutcomeProgress) -> list[dict[str, str]]:
    """Return what is missing, in the order of the parts."""
    return [
        {"part": part, "reason": progress.missing[part]}
        for part in Part
        if part in progress.missing
    ]


def snapshot_record(
    progress: OutcomeProgress, *, topic: str, key: bytes | None, account_id: str, engagement_id: str
) -> Record:
    """Return the snapshot of what is known now; ``key`` is that of the engagement's events."""
    as_of = timestamp(progress.as_of_ms)
    value = {
        "entity": entity,
        "account_id": account_id,
        "engagement_id": engagement_id,
        "as_of": as_of,
        "status": progress.status,
        "outcome": progress.outcome,
        "missing": missing_of(progress),
    }
    return Record(topic, key, orjson.dumps(value), ((as_of_header, as_of.encode()),))


def next_revision(progress: OutcomeProgress, *, occurred_at_ms: int) -> int:
    """Return the number of the next revision, higher than the last one of this progress."""
    elapsed_s = max(0, progress.as_of_ms - occurred_at_ms) // 1000
    number = max(first_revision + elapsed_s, progress.revision + 1)
    return min(number, _largest_revision)


def revision_record(
    progress: OutcomeProgress, ended: Delivery, *, topic: str, revision: int, enrich: Enrich
) -> Record:
    """Return the event that ended an engagement, with its outcome among the enrichment."""
    as_of = timestamp(progress.as_of_ms)
    outcome = {
        "status": progress.status,
        "as_of": as_of,
        "missing": missing_of(progress),
        **progress.outcome,
    }
    value = enrich(
        ended.value or b"",
        revision=revision,
        enriched_at=as_of,
        outcome=outcome,
    )
    return Record(topic, ended.key, value, _headers(ended, revision))


def _headers(ended: Delivery, revision: int) -> Headers:
    """Return the headers of the raw record, with the revision in those that carry it."""
    event_id = text(ended.headers, event_id_header)
    replaced = {
        revision_header: str(revision).encode(),
        ce_id: f"{event_id}-r{revision}".encode(),
    }
    unchanged = tuple(header for header in ended.headers if header[0] not in replaced)
    return (*unchanged, *replaced.items())
