"""Whatever was done is read back, never more than was done, whatever happens to the text."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.offsets.metadata import (
    OffsetMap,
    UnreadableMapError,
    from_committed,
    max_characters,
    to_commit,
)
from runtime.ports import Position

distances = st.integers(1, 300) | st.integers(1, 2**40)


@st.composite
def maps(draw: st.DrawFn) -> OffsetMap:
    offset = draw(st.integers(0, 2**50))
    unfinished = []
    for distance in draw(st.lists(distances, max_size=60)):
        unfinished.append(offset)
        offset += distance
    return OffsetMap(tuple(unfinished), offset)


def undone(done: OffsetMap, offset: int) -> bool:
    return offset >= done.end or offset in done.unfinished


@given(done=maps())
def test_what_is_done_is_read_back(done: OffsetMap) -> None:
    position = to_commit(done)
    assert position.offset == done.position
    assert len(position.metadata) <= max_characters
    restored = from_committed(position, log_end=done.end)
    assert restored.position == done.position
    context = {o + step for o in (*done.unfinished, done.end) for step in (-1, 0, 1)}
    for offset in context:
        if offset >= done.position:
            assert undone(restored, offset) is undone(done, offset)


@given(done=maps(), position=st.integers(0, 2**50), text=st.text())
def test_a_foreign_text_is_refused_or_none(done: OffsetMap, position: int, text: str) -> None:
    try:
        restored = from_committed(Position(position, text), log_end=2**62)
    except UnreadableMapError:
        return
    assert text == ""
    assert restored == OffsetMap((), position)


@given(done=maps(), data=st.data())
def test_a_damaged_text_is_refused_or_says_the_same(done: OffsetMap, data: st.DataObject) -> None:
    position = to_commit(done)
    if not position.metadata:
        return
    at = data.draw(st.integers(0, len(position.metadata) - 1))
    other = data.draw(st.characters().filter(lambda c: c != position.metadata[at]))
    damaged = position.metadata[:at] + other + position.metadata[at + 1 :]
    try:
        restored = from_committed(Position(position.offset, damaged), log_end=2**62)
    except UnreadableMapError:
        return
    assert restored == from_committed(position, log_end=2**62)
