"""Pure: stops asking what fails, and finds out when it works again.

`Breaker` is closed at first: every call goes out. A number of failures one after the other opens
it, a fault that only an operator can mend does so at once. Open: no call goes out until the pause
is over; then one does, as a probe, and the pause starts anew, so that a probe that never returns is
followed by another. Any answer closes it.

`Breakers` has one for each operation and one for the way to the account. The way is in doubt only
where no answer came from behind it, and only once several operations say so, unless it is what all
of them go through: one operation that Zoom breaks rests alone.
"""

from typing import Final

from zoom.errors import ZoomFault, operators_faults

failures_that_open: Final = 5
pause_s: Final = 5.0
operators_pause_s: Final = 30.0
"""An operator needs minutes; a new scope shows in tokens after some seconds."""

_never_sent: Final = frozenset({ZoomFault.OVER_BUDGET})

_answers: Final = frozenset(
    {
        ZoomFault.RATE_LIMITED,
        ZoomFault.NOT_READY,
        ZoomFault.REFUSED,
        ZoomFault.CONFLICT,
        ZoomFault.NOT_FOUND,
        ZoomFault.GONE,
        ZoomFault.NO_ANSWER,
    }
)
"""Somebody is there and says no; the budget takes care of the first."""

_refusals: Final = frozenset(
    {ZoomFault.TOKEN_REFUSED, ZoomFault.NO_LICENCE, ZoomFault.ROLE, ZoomFault.FORBIDDEN}
)
"""Somebody is there and forbids it: of what operators mend, all that Zoom itself has said."""

_of_the_way: Final = frozenset({ZoomFault.NETWORK, ZoomFault.CREDENTIALS})
_perhaps_of_the_way: Final = frozenset({ZoomFault.OUTAGE, ZoomFault.TIMEOUT})


class Breaker:
    """The state of one. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_by: ZoomFault | None = None
        self._until_s = 0.0

    @property
    def opened_by(self) -> ZoomFault | None:
        """The latest failure while it is open; None while it is closed."""
        return self._opened_by

    def stops(self, now_s: float) -> ZoomFault | None:
        """Return why a call must not go out now, or None: it may, perhaps as the probe."""
        return self._opened_by if now_s < self._until_s else None

    def sends(self, now_s: float) -> None:
        """A call goes out: while it is open, the only one until the pause is over again."""
        if self._opened_by is not None:
            self._until_s = now_s + _pause_s(self._opened_by)

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._opened_by = None
        self._until_s = 0.0

    def failed(self, fault: ZoomFault, now_s: float) -> None:
        """A call was not answered."""
        self._failures += 1
        if fault in operators_faults or self._failures >= failures_that_open:
            self._opened_by = fault
            self._until_s = now_s + _pause_s(fault)


class Breakers:
    """The breakers of one account, by name of operation. Times are as those of `Breaker`."""

    def __init__(self) -> None:
        self._way = Breaker()
        self._suspects: set[str] = set()
        self._operations: dict[str, Breaker] = {}

    def opened_by(self, operation: str) -> ZoomFault | None:
        """Return why this operation is not asked; None while it is."""
        return self._of(operation).opened_by or self._way.opened_by

    def stops(self, operation: str, now_s: float) -> ZoomFault | None:
        """Return why a call must not go out now, or None: it goes out, perhaps as a probe."""
        one = self._of(operation)
        fault = one.stops(now_s) or self._way.stops(now_s)
        if fault is None:
            one.sends(now_s)
            self._way.sends(now_s)
        return fault

    def succeeded(self, operation: str) -> None:
        """A call was answered with what was asked for."""
        self._of(operation).succeeded()
        self._way_is_clear()

    def failed(self, operation: str, fault: ZoomFault, now_s: float) -> None:
        """A call ended with this fault."""
        if fault in _never_sent:
            return
        if fault in _answers:
            self.succeeded(operation)
        elif fault in _of_the_way:
            self._way.failed(fault, now_s)
        else:
            self._of(operation).failed(fault, now_s)
            if fault in _perhaps_of_the_way:
                self._suspect(operation, fault, now_s)
            elif fault in _refusals:
                self._way_is_clear()

    def _of(self, operation: str) -> Breaker:
        return self._operations.setdefault(operation, Breaker())

    def _suspect(self, operation: str, fault: ZoomFault, now_s: float) -> None:
        self._suspects.add(operation)
        if len(self._suspects) > 1:
            self._way.failed(fault, now_s)

    def _way_is_clear(self) -> None:
        self._way.succeeded()
        self._suspects.clear()


def _pause_s(fault: ZoomFault) -> float:
    return operators_pause_s if fault in operators_faults else pause_s
