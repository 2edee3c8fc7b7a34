"""Measures where events depart from the contract. No event is refused or delayed for it.

It runs here because every event passes, and the webhook does not wait for it. Of each kind of event
only a sample is measured (`sampling`), since measuring costs as much as parsing: the counter says
what was seen in it, not how often it happens.
"""

from collections.abc import Collection, Mapping
from typing import Final

import structlog

from processors.enrichment.metrics import drift as drift_metrics
from processors.enrichment.sampling import EventSample
from runtime.clock import Clock
from schemas.catalogue import events
from schemas.drift import DriftKind, drift_of, path_of

log = structlog.get_logger()

_silence_s: Final = 3600.0
"""The same departure is logged again after this long."""

_max_remembered: Final = 1000
"""Departures remembered; further ones within the hour are counted, but not logged."""

_Departure = tuple[str, DriftKind, tuple[str, ...]]


class DriftWatch:
    """Counts departures by event and kind, and logs each pointer and event once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples = {event: EventSample() for event in events}
        self._reported_s: dict[_Departure, float] = {}
        """When each was logged, the oldest first."""

    def watch(self, body: Mapping[str, object], event: str) -> None:
        """Measure one parsed body, where its turn has come; one of an unknown name always."""
        sample = self._samples.get(event)
        if sample is not None and not sample.is_due(_members(body)):
            return
        departures = drift_of(body, event)
        if departures:
            label = event if event in events else "unknown"
            for kind, pointer in dict.fromkeys((drift.kind, drift.pointer) for drift in departures):
                drift_metrics.drift.labels(label, kind.value).inc()
                self._report((event, kind, pointer))

    def _report(self, which: _Departure) -> None:
        if self._is_silent(which):
            return
        event, kind, pointer = which
        log.warning(
            "an event departs from the contract",
            event_name=event,
            path=path_of(pointer),
            kind=kind.value,
        )

    def _is_silent(self, which: _Departure) -> bool:
        """Return whether this was logged lately; otherwise note it as logged."""
        now_s = self._clock.monotonic_s()
        while self._reported_s:
            oldest = next(iter(self._reported_s))
            if now_s - self._reported_s[oldest] < _silence_s:
                break
            del self._reported_s[oldest]
        if which in self._reported_s or len(self._reported_s) >= _max_remembered:
            return True
        self._reported_s[which] = now_s
        return False


def _members(body: Mapping[str, object]) -> Collection[str]:
    """Return the names of the members of ``payload.object``."""
    payload = body.get("payload")
    entity = payload.get("object") if isinstance(payload, dict) else None
    return entity if isinstance(entity, dict) else ()
