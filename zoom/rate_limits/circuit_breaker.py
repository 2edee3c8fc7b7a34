"""Pure: stops calls to a failing operation, and probes whether it works again.

The states of a `Breaker`:

- Closed, at first: every call is sent. A number of consecutive failures opens it; a fault that only
  an operator can repair opens it at once.
- Open: no call is sent until the pause is over. Then one is sent as a probe and the pause starts
  again, so that a probe that never returns is followed by another. Any answer closes it.

`Breakers` has one for each operation and one for the path to the account. The path counts as
failing only where no answer came from behind it, and only once several operations report it, unless
the fault concerns a part that all of them use. So one operation that fails at Zoom stops alone.
"""

from typing import Final

from zoom.errors import ZoomFault, operators_faults

failures_that_open: Final = 5
pause_s: Final = 5.0
operators_pause_s: Final = 30.0
"""An operator needs minutes; a new scope appears in tokens after some seconds."""

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
"""Zoom answered with a refusal; the scheduler handles the first of these."""

_refusals: Final = frozenset(
    {ZoomFault.TOKEN_REFUSED, ZoomFault.NO_LICENCE, ZoomFault.ROLE, ZoomFault.FORBIDDEN}
)
"""Zoom answered with a prohibition: of the operator's faults, all that Zoom itself reports."""

_network: Final = frozenset({ZoomFault.NETWORK, ZoomFault.CREDENTIALS})
_possibly_network: Final = frozenset({ZoomFault.OUTAGE, ZoomFault.TIMEOUT})


class Breaker:
    """The state of one breaker. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._failures = 0
        self._opened_by: ZoomFault | None = None
        self._until_s = 0.0

    @property
    def opened_by(self) -> ZoomFault | None:
        """The latest failure while it is open; None while it is closed."""
        return self._opened_by

    def stops(self, now_s: float) -> ZoomFault | None:
        """Return why a call must not be sent now, or None where it may, perhaps as the probe."""
        return self._opened_by if now_s < self._until_s else None

    def sends(self, now_s: float) -> None:
        """Note that a call is sent. An open breaker sends no other until its pause is over."""
        if self._opened_by is not None:
            self._until_s = now_s + _pause_s(self._opened_by)

    def succeeded(self) -> None:
        """Note that a call was answered."""
        self._failures = 0
        self._opened_by = None
        self._until_s = 0.0

    def failed(self, fault: ZoomFault, now_s: float) -> None:
        """Note that a call was not answered."""
        self._failures += 1
        if fault in operators_faults or self._failures >= failures_that_open:
            self._opened_by = fault
            self._until_s = now_s + _pause_s(fault)


class Breakers:
    """The breakers of one account, by operation. Times are as those of `Breaker`."""

    def __init__(self) -> None:
        self._way = Breaker()
        self._suspects: set[str] = set()
        self._operations: dict[str, Breaker] = {}

    def opened_by(self, operation: str) -> ZoomFault | None:
        """Return why calls to this operation are stopped; None while they are sent."""
        return self._of(operation).opened_by or self._way.opened_by

    def stops(self, operation: str, now_s: float) -> ZoomFault | None:
        """Return why a call must not be sent now, or None where it may, perhaps as a probe."""
        one = self._of(operation)
        fault = one.stops(now_s) or self._way.stops(now_s)
        if fault is None:
            one.sends(now_s)
            self._way.sends(now_s)
        return fault

    def succeeded(self, operation: str) -> None:
        """Note that a call succeeded."""
        self._of(operation).succeeded()
        self._way_is_clear()

    def failed(self, operation: str, fault: ZoomFault, now_s: float) -> None:
        """Note that a call ended with this fault."""
        if fault in _never_sent:
            return
        if fault in _answers:
            self.succeeded(operation)
        elif fault in _network:
            self._way.failed(fault, now_s)
        else:
            self._of(operation).failed(fault, now_s)
            if fault in _possibly_network:
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
