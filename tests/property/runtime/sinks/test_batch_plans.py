"""A plan is read back as it was written, with its own position, and nothing else is one."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ConfigurationError
from runtime.ports import Position
from runtime.sinks.batch_plans import pending, planned
from runtime.values import Span

spans = st.builds(
    lambda start, length: Span(start, start + length), st.integers(0, 2**62), st.integers(1, 10**6)
)


@given(span=spans)
def test_what_was_planned_is_pending(span: Span) -> None:
    position = planned(span)
    assert position.offset == span.start
    assert pending(position) == span


@given(offset=st.integers(0, 2**62), text=st.text() | st.text().map("plan:{}".format))
def test_another_text_is_no_plan_or_refused(offset: int, text: str) -> None:
    try:
        span = pending(Position(offset, text))
    except ConfigurationError:
        assert text.startswith("plan:")
        return
    if span is None:
        assert not text.startswith("plan:")
    else:
        assert (span.start, int(text.removeprefix("plan:"))) == (offset, span.end)
        assert span.end > offset
