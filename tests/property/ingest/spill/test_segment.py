"""Segments: whatever goes in comes out, and nothing else comes out of what is torn."""

import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.spill.backlog import Backlog
from ingest.spill.segment import (
    Segment,
    SegmentName,
    SegmentUnreadableError,
    parse_name,
    records_of,
    segment_of,
)
from runtime.values import Record

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
records = st.builds(
    Record,
    topic=texts,
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(st.tuples(texts, st.binary(max_size=20)), max_size=4).map(tuple),
    partition=st.none() | st.integers(0, 2**31 - 1),
)
names = st.builds(
    SegmentName,
    at_ms=st.integers(0, 9_999_999_999_999),
    events=st.integers(0, 10_000),
    digest=st.text("0123456789abcdef", min_size=16, max_size=16),
    instance=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
)


def written(*some_records: Record, instance: str = "pod-0") -> Segment:
    return segment_of(some_records, at_ms=1_700_000_000_000, instance=instance)


def headed(**changes: object) -> bytes:
    head = {"format": "zcc-spill", "version": 1, "sha256": hashlib.sha256(b"").hexdigest()}
    return orjson.dumps({**head, **changes}) + b"\n"


@given(st.lists(records, max_size=5))
def test_records_come_back_byte_for_byte_and_in_order(drawn: list[Record]) -> None:
    assert records_of(written(*drawn).content) == drawn


def test_every_byte_is_kept_wherever_bytes_go() -> None:
    every = bytes(range(256))
    record = Record("t", every, every * 2, (("h", every),))
    assert records_of(written(record).content) == [record]


def test_a_body_can_be_read_by_a_person() -> None:
    assert rb"{\"event\":\"x\"}" in written(Record("t", b"k", b'{"event":"x"}')).content


def test_a_segment_torn_at_any_byte_is_unreadable() -> None:
    content = written(Record("t", b"k", b"v", (("h", b"x"),)), Record("t", None, None)).content
    for end in range(len(content)):
        with pytest.raises(SegmentUnreadableError):
            records_of(content[:end])


@given(st.data())
def test_a_segment_with_any_byte_changed_is_unreadable(data: st.DataObject) -> None:
    content = bytearray(written(Record("t", b"k", b"value")).content)
    index = data.draw(st.integers(0, len(content) - 1))
    content[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SegmentUnreadableError):
        records_of(bytes(content))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "torn"),
        (b"\x00\xff" * 100, "torn, or not written by the spill"),
        (b"[]\n", "not written by the spill"),
        (headed(format="other"), "not written by the spill"),
        (headed(version=2), "version"),
        (headed(sha256=None), "checksum"),
        (headed() + b"more", "checksum"),
    ],
)
def test_why_it_is_unreadable_is_reported(content: bytes, why: str) -> None:
    with pytest.raises(SegmentUnreadableError, match=why):
        records_of(content)


@pytest.mark.parametrize("line", [b"{}", b"1", b"nonsense", b'{"topic":1,"key":"\\u20ac"}'])
def test_a_line_that_is_no_record_is_reported_though_its_checksum_holds(line: bytes) -> None:
    with pytest.raises(SegmentUnreadableError, match="not a record"):
        records_of(headed(sha256=hashlib.sha256(line).hexdigest()) + line)


def test_segments_that_differ_never_share_a_name() -> None:
    one, other = written(Record("t", b"k", b"1")), written(Record("t", b"k", b"2"))
    assert one.name != other.name
    assert written(Record("t", b"k", b"1")) == one


@given(names)
def test_a_name_is_read_back_whole(name: SegmentName) -> None:
    assert parse_name(str(name)) == name


@given(st.lists(names))
def test_names_sort_as_text_by_the_time_of_their_writing(some: list[SegmentName]) -> None:
    assert [parse_name(text).at_ms for text in sorted(map(str, some))] == sorted(  # type: ignore[union-attr]  # they are names
        name.at_ms for name in some
    )


@pytest.mark.parametrize("text", ["", "lost+found", "1-2-3-4.spill", f"{0:013d}-1-{'0' * 16}-.x"])
def test_what_is_no_name_is_none(text: str) -> None:
    assert parse_name(text) is None


@given(st.dictionaries(names, st.integers(0, 1000)), st.data())
def test_a_backlog_counts_what_is_in_it(sizes: dict[SegmentName, int], data: st.DataObject) -> None:
    backlog = Backlog()
    backlog.merge(sizes)
    for name in data.draw(st.lists(st.sampled_from(sorted(sizes)))) if sizes else ():
        backlog.discard(name)
        sizes.pop(name, None)
    assert (len(backlog), backlog.events, backlog.size_bytes) == (
        len(sizes),
        sum(name.events for name in sizes),
        sum(sizes.values()),
    )
    assert backlog.oldest_ms == min((name.at_ms for name in sizes), default=None)
    assert backlog.first(count=len(sizes), size_bytes=backlog.size_bytes) == sorted(sizes)


def test_a_backlog_gives_its_oldest_within_both_bounds_and_at_least_one() -> None:
    sizes = {SegmentName(at_ms, 1, "0" * 16, "pod"): 10 for at_ms in range(4)}
    backlog = Backlog()
    backlog.merge(sizes)
    assert [name.at_ms for name in backlog.first(count=3, size_bytes=100)] == [0, 1, 2]
    assert [name.at_ms for name in backlog.first(count=9, size_bytes=20)] == [0, 1]
    assert [name.at_ms for name in backlog.first(count=9, size_bytes=1)] == [0]


def test_a_segment_found_again_is_counted_once() -> None:
    name = SegmentName(1, 3, "0" * 16, "pod")
    backlog = Backlog()
    backlog.append(name, 10)
    backlog.merge({name: 10})
    assert (len(backlog), backlog.events, backlog.size_bytes) == (1, 3, 10)
