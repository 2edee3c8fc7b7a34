"""When an operation is not asked."""

import pytest

from zoom.breaker import Breaker, failures_that_open, operators_pause_s, pause_s
from zoom.errors import Fault


def opened(at_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(failures_that_open):
        breaker.failed(Fault.OUTAGE, at_s)
    return breaker


def test_a_few_failures_do_not_open_it() -> None:
    breaker = Breaker()
    for _ in range(failures_that_open - 1):
        breaker.failed(Fault.TIMEOUT, 0.0)
    assert breaker.stops(0.0) is None


def test_failures_in_a_row_open_it_and_it_says_why() -> None:
    breaker = opened()
    assert breaker.stops(pause_s - 0.1) is Fault.OUTAGE
    assert breaker.opened_by is Fault.OUTAGE


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(3 * failures_that_open):
        breaker.failed(Fault.NETWORK, 0.0)
        breaker.succeeded()
    assert breaker.stops(0.0) is None


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.TOKEN_REFUSED, Fault.CREDENTIALS])
def test_what_only_an_operator_can_mend_opens_it_at_once_and_for_longer(fault: Fault) -> None:
    breaker = Breaker()
    breaker.failed(fault, 0.0)
    assert breaker.stops(operators_pause_s - 0.1) is fault
    assert breaker.stops(operators_pause_s) is None


@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.OVER_BUDGET, Fault.REFUSED])
def test_a_no_that_comes_from_a_working_api_is_no_failure(fault: Fault) -> None:
    breaker = Breaker()
    for _ in range(3 * failures_that_open):
        breaker.failed(fault, 0.0)
    assert breaker.stops(0.0) is None


def test_after_the_pause_one_probe_goes_out_and_another_if_it_never_returns() -> None:
    breaker = opened()
    assert breaker.stops(pause_s) is None
    assert breaker.stops(pause_s) is Fault.OUTAGE
    assert breaker.stops(2 * pause_s) is None


def test_a_probe_that_is_answered_closes_it_and_one_that_fails_keeps_it_open() -> None:
    breaker = opened()
    assert breaker.stops(pause_s) is None
    breaker.failed(Fault.TIMEOUT, pause_s + 1)
    assert breaker.stops(2 * pause_s) is Fault.TIMEOUT
    assert breaker.stops(2 * pause_s + 1) is None
    breaker.succeeded()
    assert breaker.stops(2 * pause_s + 1) is None
    assert breaker.opened_by is None
