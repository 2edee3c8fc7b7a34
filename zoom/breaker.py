"""Pure: stops asking one operation that fails, and finds out when it works again.

Closed: every call goes out. A number of failures one after the other opens it, a fault that only
an operator can mend does so at once. Open: no call goes out until the pause is over; then one
does, as a probe, and the pause starts anew, so that a probe that never returns is followed by
another. Any answer closes it.
"""

from typing import Final

from zoom.errors import Fault, operators_faults

failures_that_open: Final = 5
pause_s: Final = 5.0
operators_pause_s: Final = 30.0
"""An operator needs minutes; a new scope shows in tokens after some seconds."""

_no_failure: Final = frozenset({Fault.RATE_LIMITED, Fault.OVER_BUDGET, Fault.REFUSED})
"""Somebody is there and says no; the budget takes care of the first two."""


class Breaker:
    """The state of one operation. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_by: Fault | None = None
        self._until_s = 0.0

    @property
    def opened_by(self) -> Fault | None:
        """The latest failure while it is open; None while it is closed."""
        return self._opened_by

    def stops(self, now_s: float) -> Fault | None:
        """Return why a call must not go out now, or None: it goes out, perhaps as the probe."""
        if self._opened_by is None:
            return None
        if now_s < self._until_s:
            return self._opened_by
        self._until_s = now_s + _pause_s(self._opened_by)
        return None

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._opened_by = None

    def failed(self, fault: Fault, now_s: float) -> None:
        """A call was not answered."""
        if fault in _no_failure:
            return
        self._failures += 1
        if fault in operators_faults or self._failures >= failures_that_open:
            self._opened_by = fault
            self._until_s = now_s + _pause_s(fault)


def _pause_s(fault: Fault) -> float:
    return operators_pause_s if fault in operators_faults else pause_s
