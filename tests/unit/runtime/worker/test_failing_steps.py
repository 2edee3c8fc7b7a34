"""What is reported of failing steps: since when, by whose fault, why; never text of others."""

from runtime.errors import TransientError
from runtime.retries.policy import FaultKind
from runtime.worker.failing_steps import FailingSteps, cause_of, log_interval_s


def test_a_step_fails_from_its_first_failure_until_it_works() -> None:
    steps = FailingSteps()
    steps.failed("write", FaultKind.TRANSIENT, TransientError("down"), now_s=10.0)
    steps.failed("write", FaultKind.TRANSIENT, TransientError("still down"), now_s=15.0)
    (failing,) = steps.failing(25.0)
    assert failing.describe(25.0) == "write has failed for 15 s (transient): still down"
    assert steps.failing(25.0, at_least_s=16.0) == []
    steps.worked("commit")
    assert steps.failing(25.0) == [failing]
    steps.worked("write")
    assert steps.failing(25.0) == []


def test_the_log_tells_of_a_step_once_in_a_while() -> None:
    steps, error = FailingSteps(), TransientError("down")
    logged = [
        steps.failed("write", FaultKind.TRANSIENT, error, now_s=at_s) is not None
        for at_s in (0.0, 1.0, log_interval_s - 1, log_interval_s, log_interval_s + 1)
    ]
    assert logged == [True, False, False, True, False]


def test_the_message_of_a_foreign_error_is_not_reported() -> None:
    assert cause_of(ValueError("Ann, +1 555 0100")) == "ValueError"
    assert cause_of(TransientError("no answer")) == "no answer"
