"""Pure: what Zoom told of an engagement after its end.

Durations and status stand in ``engagement``, beside what its events say; the rest has a table of
its own. Both take the newest snapshot. A record without a value removes nothing: an outcome is of
the past.
"""

from collections.abc import Iterator
from typing import Final

import orjson

from schemas.envelope import JsonObject
from sinks.postgres.model.families.engagement import engagement, zoom
from sinks.postgres.model.families.participants import engagement_key
from sinks.postgres.model.json_fields import (
    bigint,
    flag,
    integer,
    moment_ms,
    object_in,
    objects_in,
    text,
)
from sinks.postgres.model.outcomes import ParsedOutcome
from sinks.postgres.model.projection import ColumnUpdate, Projection, VersionedColumns
from sinks.postgres.model.tables import Cell, Column, columns_of

engagement_outcome: Final = Projection(
    "engagement_outcome",
    engagement_key,
    (
        VersionedColumns(
            "outcome",
            (
                Column("status", "text"),
                Column("missing", "text[]"),
                *columns_of("timestamptz", "started_at", "ended_at"),
                Column("queue_wait_type", "text"),
                Column("dispositions", "text[]"),
                Column("survey_answered", "boolean"),
                *columns_of("integer", "voicemails", "notes", "recordings", "timeline_events"),
                Column("recorded_ms", "bigint"),
                Column("outcome", "jsonb", "document"),
                Column("as_of", "timestamptz"),
            ),
        ),
    ),
)

projections: Final = (engagement_outcome,)

_durations: Final = (
    *("total_ms", "flow_ms", "waiting_ms", "talking_ms", "hold_ms", "handling_ms", "wrap_up_ms"),
)
"""In the order of the columns of `engagement`'s register."""


def outcome_mentions(snapshot: ParsedOutcome) -> Iterator[ColumnUpdate]:
    """Yield the updates of a snapshot."""
    outcome = snapshot.outcome
    if outcome is None:
        return
    key = snapshot.account_id, snapshot.engagement_id
    status, as_of_ms = text(snapshot.document, "status"), snapshot.as_of_ms
    durations = object_in(outcome, "durations") or {}
    cells_of_engagement = tuple(bigint(durations, name) for name in _durations)
    yield ColumnUpdate(engagement, key, {zoom.name: (*cells_of_engagement, status, as_of_ms)})
    cells: tuple[Cell, ...] = (
        status,
        tuple(_missing(snapshot.document)),
        moment_ms(outcome, "start_time"),
        moment_ms(outcome, "end_time"),
        text(outcome, "queue_wait_type"),
        _dispositions(outcome),
        flag(object_in(outcome, "survey") or {}, "answered"),
        integer(outcome, "voicemails"),
        *(_count(outcome, member) for member in ("notes", "recordings", "timeline")),
        _recorded_ms(outcome),
        orjson.dumps(outcome),
        as_of_ms,
    )
    yield ColumnUpdate(engagement_outcome, key, {"outcome": cells})


def _missing(document: JsonObject) -> Iterator[str]:
    for each in objects_in(document, "missing"):
        yield f"{text(each, 'part')}: {text(each, 'reason')}"


def _dispositions(outcome: JsonObject) -> tuple[str, ...] | None:
    if "dispositions" not in outcome:
        return None
    names = (text(each, "disposition_name") for each in objects_in(outcome, "dispositions"))
    return tuple(filter(None, names))


def _count(outcome: JsonObject, member: str) -> int | None:
    items = outcome.get(member)
    return len(items) if isinstance(items, list) else None


def _recorded_ms(outcome: JsonObject) -> int | None:
    if "recordings" not in outcome:
        return None
    total_ms = sum(bigint(each, "duration_ms") or 0 for each in objects_in(outcome, "recordings"))
    return bigint({"total_ms": total_ms}, "total_ms")
