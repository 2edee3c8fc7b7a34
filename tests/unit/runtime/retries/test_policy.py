"""Whose fault an error is, and what its description contains."""

import pytest

from runtime.errors import RejectedError, TransientError
from runtime.retries.policy import FaultKind, fault_of, safe_error_text
from schemas.reasons import DeadLetterReason


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TransientError("down"), FaultKind.TRANSIENT),
        (RejectedError(DeadLetterReason.TOO_LARGE, ""), FaultKind.REJECTED),
        (KeyError("x"), FaultKind.DEFECT),
    ],
)
def test_the_class_tells_whose_fault_it_is(error: Exception, fault: FaultKind) -> None:
    assert fault_of(error) is fault


def test_a_defect_is_described_by_class_and_place_and_never_by_its_message() -> None:
    def fails() -> None:
        raise KeyError("+1 555 0100")

    with pytest.raises(KeyError) as caught:
        fails()
    text = safe_error_text(caught.value)
    assert text.startswith("KeyError at ")
    assert "fails:" in text
    assert "555" not in text


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert safe_error_text(KeyError("x")) == "KeyError"
