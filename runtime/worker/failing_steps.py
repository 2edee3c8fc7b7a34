"""Pure: the steps of a worker that fail now, since when and why; for readiness and the log."""

from dataclasses import dataclass
from typing import Final

from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.retries.policy import FaultKind, safe_error_text

log_interval_s: Final = 30.0
"""A failing step is logged once per interval; a counter counts each failure."""

_max_cause: Final = 500
"""Characters."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A step that has failed since its last success."""

    stage: str
    fault: FaultKind
    cause: str
    since_s: float

    def describe(self, now_s: float) -> str:
        """Return it as text."""
        lasting_s = now_s - self.since_s
        return f"{self.stage} has failed for {lasting_s:.0f} s ({self.fault}): {self.cause}"


class FailingSteps:
    """The failing steps of one worker."""

    def __init__(self) -> None:
        self._failing: dict[str, Failing] = {}
        self._logged_s: dict[str, float] = {}

    def failed(
        self, stage: str, fault: FaultKind, error: Exception, *, now_s: float
    ) -> Failing | None:
        """Note a failure; return what to log, None within the log interval."""
        before = self._failing.get(stage)
        since_s = now_s if before is None else before.since_s
        failing = self._failing[stage] = Failing(stage, fault, cause_of(error), since_s)
        logged_s = self._logged_s.get(stage)
        if logged_s is not None and now_s - logged_s < log_interval_s:
            return None
        self._logged_s[stage] = now_s
        return failing

    def worked(self, stage: str) -> None:
        """Note a success."""
        if self._failing:
            self._failing.pop(stage, None)

    def failing(self, now_s: float, *, at_least_s: float = 0.0) -> list[Failing]:
        """Return the steps that have failed for this long, the oldest failure first."""
        lasting = [each for each in self._failing.values() if now_s - each.since_s >= at_least_s]
        return sorted(lasting, key=lambda each: each.since_s)


def cause_of(error: Exception) -> str:
    """Return the text of an error that may be logged.

    Messages of our own errors hold no secret and no personal data. Of other errors it is the class
    and the location.
    """
    match error:
        case TransientError() | RejectedError() | ConfigurationError() | FencedError():
            return str(error)[:_max_cause]
        case _:
            return safe_error_text(error)
