"""Creates each series of ingest at 0.

Prometheus sees no increase in a series that starts at 1.
"""

from typing import Final

from ingest.apps.registry import App
from ingest.http.connections import Displaced
from ingest.http.request_context import no_app
from ingest.http.responses import Refusal
from ingest.metrics import metrics
from ingest.webhook.responses import Unavailable, table
from schemas.catalogue import families, unknown_family
from schemas.reasons import QuarantineReason
from zoom.signature import SignatureFault

_statuses: Final = frozenset(row.response.label for row in table)


def create_series() -> None:
    """Create the series that no app owns, and those of requests for an unknown app."""
    for family in (*families, unknown_family):
        metrics.accepted.labels(family)
    for quarantine_reason in QuarantineReason:
        metrics.quarantined.labels(quarantine_reason.value)
    for reason in Unavailable:
        metrics.unavailable.labels(reason.value)
    for state in Displaced:
        metrics.crowded_out.labels(state.value)
    for refusal in Refusal:
        metrics.refused.labels(no_app, refusal.value)
    for status in _statuses:
        metrics.responses.labels(no_app, status)


def create_app_series(app: App) -> None:
    """Create the series of an app, which may be added while the process runs."""
    for reason in (*Refusal, *SignatureFault):
        metrics.refused.labels(app.name, reason.value)
    for status in _statuses:
        metrics.responses.labels(app.name, status)
    for index in range(len(app.secrets)):
        metrics.verified.labels(app.name, str(index))
    metrics.challenges.labels(app.name)
    metrics.replays.labels(app.name)
