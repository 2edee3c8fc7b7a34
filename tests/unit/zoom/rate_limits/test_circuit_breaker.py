"""When an operation, or a whole account, gets no calls."""

import pytest

from zoom.errors import ZoomFault
from zoom.rate_limits.circuit_breaker import (
    Breaker,
    Breakers,
    failures_that_open,
    operators_pause_s,
    pause_s,
)


def opened(at_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(failures_that_open):
        breaker.failed(ZoomFault.OUTAGE, at_s)
    return breaker


def test_a_few_failures_do_not_open_it() -> None:
    breaker = Breaker()
    for _ in range(failures_that_open - 1):
        breaker.failed(ZoomFault.TIMEOUT, 0.0)
    assert breaker.stops(0.0) is None


def test_failures_in_a_row_open_it_and_it_says_why() -> None:
    breaker = opened()
    assert breaker.stops(pause_s - 0.1) is ZoomFault.OUTAGE
    assert breaker.opened_by is ZoomFault.OUTAGE


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(3 * failures_that_open):
        breaker.failed(ZoomFault.UNEXPECTED, 0.0)
        breaker.succeeded()
    assert breaker.stops(0.0) is None


@pytest.mark.parametrize(
    "fault",
    [
        ZoomFault.FORBIDDEN,
        ZoomFault.TOKEN_REFUSED,
        ZoomFault.CREDENTIALS,
        ZoomFault.MISSING_SCOPE,
        ZoomFault.NO_LICENCE,
        ZoomFault.ROLE,
    ],
)
def test_what_only_an_operator_can_mend_opens_it_at_once_and_for_longer(fault: ZoomFault) -> None:
    breaker = Breaker()
    breaker.failed(fault, 0.0)
    assert breaker.stops(operators_pause_s - 0.1) is fault
    assert breaker.stops(operators_pause_s) is None


def test_after_the_pause_one_probe_goes_out_and_another_if_it_never_returns() -> None:
    breaker = opened()
    assert breaker.stops(pause_s) is None
    breaker.sends(pause_s)
    assert breaker.stops(pause_s) is ZoomFault.OUTAGE
    assert breaker.stops(2 * pause_s) is None


def test_a_probe_that_is_answered_closes_it_and_one_that_fails_keeps_it_open() -> None:
    breaker = opened()
    breaker.sends(pause_s)
    breaker.failed(ZoomFault.TIMEOUT, pause_s + 1)
    assert breaker.stops(2 * pause_s) is ZoomFault.TIMEOUT
    assert breaker.stops(2 * pause_s + 1) is None
    breaker.sends(2 * pause_s + 1)
    breaker.succeeded()
    assert breaker.stops(2 * pause_s + 1) is None
    assert breaker.opened_by is None


def fail(breakers: Breakers, operation: str, fault: ZoomFault, times: int) -> None:
    for _ in range(times):
        breakers.failed(operation, fault, 0.0)


@pytest.mark.parametrize(
    "fault",
    [
        ZoomFault.OUTAGE,
        ZoomFault.TIMEOUT,
        ZoomFault.UNEXPECTED,
        ZoomFault.NOT_JSON,
        ZoomFault.FORBIDDEN,
        ZoomFault.MISSING_SCOPE,
        ZoomFault.TOKEN_REFUSED,
    ],
)
def test_one_operation_that_zoom_breaks_rests_alone(fault: ZoomFault) -> None:
    breakers = Breakers()
    fail(breakers, "a", fault, 3 * failures_that_open)
    assert breakers.stops("a", 0.0) is fault
    assert breakers.stops("b", 0.0) is None


@pytest.mark.parametrize("fault", [ZoomFault.OUTAGE, ZoomFault.TIMEOUT])
def test_what_several_operations_meet_in_a_row_is_of_the_account(fault: ZoomFault) -> None:
    breakers = Breakers()
    fail(breakers, "a", fault, 1)
    fail(breakers, "b", fault, failures_that_open)
    assert breakers.stops("never asked", 0.0) is fault
    assert breakers.opened_by("never asked") is fault


def test_no_connection_is_of_the_account_whichever_operation_met_it() -> None:
    breakers = Breakers()
    fail(breakers, "a", ZoomFault.NETWORK, failures_that_open - 1)
    assert breakers.stops("b", 0.0) is None
    fail(breakers, "a", ZoomFault.NETWORK, 1)
    assert breakers.stops("b", 0.0) is ZoomFault.NETWORK


def test_refused_credentials_stop_the_account_at_once() -> None:
    breakers = Breakers()
    fail(breakers, "a", ZoomFault.CREDENTIALS, 1)
    assert breakers.stops("b", operators_pause_s - 0.1) is ZoomFault.CREDENTIALS
    assert breakers.stops("b", operators_pause_s) is None


def test_one_probe_asks_for_the_whole_account_and_its_answer_frees_all() -> None:
    breakers = Breakers()
    fail(breakers, "a", ZoomFault.NETWORK, failures_that_open)
    assert breakers.stops("b", pause_s) is None
    assert breakers.stops("c", pause_s) is ZoomFault.NETWORK
    breakers.succeeded("b")
    assert breakers.stops("c", pause_s) is None


def test_an_answer_from_the_account_ends_the_doubt_about_its_way() -> None:
    for answer in (ZoomFault.ROLE, ZoomFault.NOT_FOUND, ZoomFault.RATE_LIMITED):
        breakers = Breakers()
        fail(breakers, "a", ZoomFault.OUTAGE, failures_that_open - 1)
        fail(breakers, "c", answer, 1)
        fail(breakers, "b", ZoomFault.OUTAGE, failures_that_open - 1)
        assert breakers.stops("d", 0.0) is None


def test_a_scope_that_the_token_lacks_says_nothing_of_the_way() -> None:
    breakers = Breakers()
    fail(breakers, "a", ZoomFault.NETWORK, failures_that_open)
    fail(breakers, "b", ZoomFault.MISSING_SCOPE, 1)
    assert breakers.stops("c", 0.0) is ZoomFault.NETWORK


@pytest.mark.parametrize(
    "fault",
    [
        ZoomFault.RATE_LIMITED,
        ZoomFault.OVER_BUDGET,
        ZoomFault.NOT_READY,
        ZoomFault.REFUSED,
        ZoomFault.CONFLICT,
        ZoomFault.NOT_FOUND,
        ZoomFault.GONE,
        ZoomFault.NO_ANSWER,
    ],
)
def test_a_no_that_comes_from_a_working_api_is_no_failure(fault: ZoomFault) -> None:
    breakers = Breakers()
    fail(breakers, "a", fault, 3 * failures_that_open)
    assert breakers.stops("a", 0.0) is None


def test_what_was_not_sent_says_nothing() -> None:
    breakers = Breakers()
    for _ in range(failures_that_open):
        breakers.failed("a", ZoomFault.UNEXPECTED, 0.0)
        breakers.failed("a", ZoomFault.OVER_BUDGET, 0.0)
    assert breakers.stops("a", 0.0) is ZoomFault.UNEXPECTED


def test_every_fault_is_judged() -> None:
    """A fault that no test above names would be one operation's, by default."""
    for fault in ZoomFault:
        breakers = Breakers()
        fail(breakers, "a", fault, failures_that_open)
        assert breakers.opened_by("a") in (None, fault)
