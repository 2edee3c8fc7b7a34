"""Whose fault it is, and what is told of it."""

import pytest

from runtime.errors import RejectedError, TransientError
from runtime.retries.policy import Fault, described, fault_of
from schemas.reasons import DeadLetterReason


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TransientError("down"), Fault.TRANSIENT),
        (RejectedError(DeadLetterReason.TOO_LARGE, ""), Fault.REJECTED),
        (KeyError("x"), Fault.DEFECT),
    ],
)
def test_the_class_tells_whose_fault_it_is(error: Exception, fault: Fault) -> None:
    assert fault_of(error) is fault


def test_a_defect_is_described_by_class_and_place_and_never_by_its_message() -> None:
    def fails() -> None:
        raise KeyError("+1 555 0100")

    with pytest.raises(KeyError) as caught:
        fails()
    told = described(caught.value)
    assert told.startswith("KeyError at ")
    assert "fails:" in told
    assert "555" not in told


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert described(KeyError("x")) == "KeyError"
