"""The plan in the metadata of a committed position is read as it was written, or refused."""

import pytest

from runtime.errors import ConfigurationError
from runtime.ports import Position
from runtime.sinks.batch_plans import pending, planned
from runtime.values import Span


def test_a_plan_is_read_back_as_it_was_written() -> None:
    assert planned(Span(10, 20)) == Position(10, "plan:20")
    assert pending(planned(Span(10, 20))) == Span(10, 20)


@pytest.mark.parametrize("position", [None, Position(7), Position(7, "someone else's note")])
def test_what_is_no_plan_is_none(position: Position | None) -> None:
    assert pending(position) is None


@pytest.mark.parametrize("metadata", ["plan:", "plan:x", "plan:-1", "plan:10", "plan:9", "plan:٢٠"])
def test_a_plan_that_cannot_be_is_refused(metadata: str) -> None:
    with pytest.raises(ConfigurationError, match="expected plan:<end>"):
        pending(Position(10, metadata))
