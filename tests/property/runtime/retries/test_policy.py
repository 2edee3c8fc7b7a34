"""Delays are finite for every attempt, and a verdict is reached by whose fault it is."""

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import RejectedError, TransientError
from runtime.retries.policy import DeadLetter, RetryInPlace, RetryPolicy, decide
from schemas.reasons import DeadLetterReason

attempts = st.integers(min_value=1, max_value=10**30)


@given(attempt=attempts, seed=st.integers(), minimum_delay_s=st.none() | st.floats())
def test_every_delay_is_finite_and_positive(
    attempt: int, seed: int, minimum_delay_s: float | None
) -> None:
    policy = RetryPolicy(3, Random(seed))
    delay_s = policy.delay_s(attempt, minimum_delay_s=minimum_delay_s)
    assert math.isfinite(delay_s)
    assert policy.first_s / 2 <= delay_s <= max(policy.limit_s, 300.0)


@given(attempt=attempts, seed=st.integers())
def test_without_a_requested_delay_none_is_above_the_limit(attempt: int, seed: int) -> None:
    policy = RetryPolicy(3, Random(seed))
    assert policy.delay_s(attempt) <= policy.limit_s


@given(minimum_delay_s=st.floats(min_value=20, max_value=300))
def test_the_delay_that_the_other_side_requests_is_kept(minimum_delay_s: float) -> None:
    policy = RetryPolicy(3, Random(1))
    outcome = decide(TransientError("busy", retry_after_s=minimum_delay_s), 1, policy)
    assert outcome == RetryInPlace(minimum_delay_s)


@given(attempt=attempts)
def test_a_transient_error_is_never_a_dead_letter(attempt: int) -> None:
    outcome = decide(TransientError("down"), attempt, RetryPolicy(1, Random(1)))
    assert isinstance(outcome, RetryInPlace)


@given(attempt=attempts)
def test_a_rejected_record_becomes_a_dead_letter_at_once(attempt: int) -> None:
    error = RejectedError(DeadLetterReason.UNREADABLE, "no header")
    outcome = decide(error, attempt, RetryPolicy(3, Random(1)))
    assert outcome == DeadLetter(DeadLetterReason.UNREADABLE, "no header")


@given(allowed=st.integers(1, 9), attempt=st.integers(1, 20))
def test_a_defect_becomes_a_dead_letter_once_its_attempts_are_used_up(
    allowed: int, attempt: int
) -> None:
    outcome = decide(ZeroDivisionError("x"), attempt, RetryPolicy(allowed, Random(1)))
    assert isinstance(outcome, RetryInPlace if attempt < allowed else DeadLetter)
