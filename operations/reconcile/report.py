"""Pure: the report of a run, as the JSON that `zcc up --report` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from operations.reconcile.accounting import Accounting


@dataclass(frozen=True, slots=True)
class SentCounts:
    """Counts of Zoom's side: distinct events, HTTP deliveries, and their outcomes."""

    events: int
    deliveries: int
    duplicates_sent: int
    retries: int
    accepted: int
    given_up: int
    event_types: int


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """Counts by store. Rows include repeats if the store keeps them; distinct ids do not.

    ``enrichment`` counts the rows of Postgres by the status of their enrichment.
    """

    records_per_topic: Mapping[str, int]
    postgres_rows: int
    postgres_distinct_event_ids: int
    object_rows: int
    object_distinct_event_ids: int
    dead_letters: int
    quarantined: int
    enrichment: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Latency:
    """From acceptance by ingest to the row being visible in Postgres, in milliseconds."""

    p50_ms: float | None
    p99_ms: float | None
    measured_by: str


@dataclass(frozen=True, slots=True)
class Report:
    """One run, whole."""

    sent: SentCounts
    stored: StoredCounts
    accounting: Accounting
    latency: Latency
    wall_time_s: float
    versions: Mapping[str, str]
    failed: Sequence[str] = ()

    @property
    def succeeded(self) -> bool:
        """Whether every event is accounted for, none was given up, and every part ended well."""
        return self.accounting.complete and not self.sent.given_up and not self.failed

    def document(self) -> dict[str, object]:
        """Return what is written to the file."""
        return {
            **asdict(self.sent),
            **asdict(self.stored),
            "unaccounted": list(self.accounting.unaccounted),
            "missing": {store: list(ids) for store, ids in self.accounting.missing.items()},
            "accept_to_visible_row": asdict(self.latency),
            "wall_time_s": round(self.wall_time_s, 3),
            "failed_parts": list(self.failed),
            "versions": dict(self.versions),
        }
