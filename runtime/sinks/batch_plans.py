"""Pure: the plan of a batch, in the metadata of a committed position.

``plan:<end>`` at the position ``start`` means: the batch from ``start`` up to, not including,
``end`` may have been written in part. A broker refuses it from a member of an older generation.
"""

from typing import Final

from runtime.errors import ConfigurationError
from runtime.ports import Position
from runtime.values import Span

_prefix: Final = "plan:"


def planned(span: Span) -> Position:
    """Return what to commit before the batch is written."""
    return Position(span.start, f"{_prefix}{span.end}")


def pending(position: Position | None) -> Span | None:
    """Return the span of a batch that may have been written in part, None where there is none.

    Raises:
        ConfigurationError: the metadata is a plan of an unknown form.
    """
    if position is None or not position.metadata.startswith(_prefix):
        return None
    end = position.metadata.removeprefix(_prefix)
    if not end.isascii() or not end.isdecimal() or int(end) <= position.offset:
        raise ConfigurationError(
            f"expected plan:<end> with an end after offset {position.offset} as metadata of the "
            f"committed offset, got {position.metadata!r}: commit the offset again without it"
        )
    return Span(position.offset, int(end))
