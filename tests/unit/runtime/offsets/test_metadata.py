"""The metadata of a committed position: what fits, what is cut, what is refused."""

import binascii
import zlib
from random import Random

import pytest

from runtime.offsets.metadata import (
    OffsetMap,
    UnreadableMapError,
    from_committed,
    max_characters,
    to_commit,
)
from runtime.ports import Position
from runtime.sinks.batch_plans import pending, planned
from runtime.values import Span

stuck = OffsetMap((7,), 10_000)


def scattered(count: int, *, among: int) -> OffsetMap:
    return OffsetMap((0, *sorted(Random(1).sample(range(1, among), count - 1))), among)


def packed_text(packed: bytes, *, position: int) -> str:
    """A text in the format of the module's docstring, made by hand."""
    checksum = zlib.crc32(b"%d:" % position + packed).to_bytes(4, "big")
    deflated = zlib.compress(packed, wbits=-15)
    return "done1:" + binascii.b2a_base64(checksum + deflated, newline=False).decode()


def test_without_anything_done_beyond_it_a_position_stands_alone() -> None:
    for done in (OffsetMap((), 5), OffsetMap((5,), 6), OffsetMap((5, 6, 7), 8)):
        assert to_commit(done) == Position(5)
        assert from_committed(Position(5), log_end=5) == OffsetMap((), 5)


def test_one_stuck_record_costs_a_few_characters_however_much_is_done_beyond_it() -> None:
    far = OffsetMap((7,), 10**12)
    assert len(to_commit(far).metadata) < 30
    assert from_committed(to_commit(far), log_end=10**12) == far


def test_the_format_is_as_documented() -> None:
    text = packed_text(bytes([0xAC, 0x02, 5]), position=7)
    assert from_committed(Position(7, text), log_end=500) == OffsetMap((7, 307), 312)


def test_texts_that_were_written_by_this_version_stay_readable() -> None:
    text = "done1:HmEw1+v0AwA="
    assert from_committed(Position(7, text), log_end=10_000) == stuck


@pytest.mark.parametrize(("count", "among"), [(1_000, 10_000), (1_000, 100_000), (100, 10**9)])
def test_the_records_that_a_worker_may_have_in_flight_fit(count: int, among: int) -> None:
    done = scattered(count, among=among)
    assert from_committed(to_commit(done), log_end=among) == done


@pytest.mark.parametrize(("count", "among"), [(5_000, 10**9), (150_000, 10**6), (15_000, 30_000)])
def test_of_what_does_not_fit_the_front_is_kept(count: int, among: int) -> None:
    done = scattered(count, among=among)
    position = to_commit(done)
    assert max_characters * 0.9 < len(position.metadata) <= max_characters
    kept = from_committed(position, log_end=among)
    assert 0 < kept.end < done.end
    assert kept.unfinished == tuple(o for o in done.unfinished if o < kept.end)
    assert kept.end in done.unfinished


def test_distances_that_repeat_are_cut_where_no_reader_would_unpack_more() -> None:
    done = OffsetMap(tuple(range(0, 200_000, 2)), 200_000)
    assert from_committed(to_commit(done), log_end=200_000).end == 2 * 64 * 1024


def test_a_map_is_valid_only_with_its_own_position() -> None:
    with pytest.raises(UnreadableMapError, match="another position"):
        from_committed(to_commit(stuck)._replace(offset=8), log_end=10_000)


def test_a_map_that_reaches_beyond_the_log_is_not_believed() -> None:
    assert from_committed(to_commit(stuck), log_end=10_000) == stuck
    with pytest.raises(UnreadableMapError, match="reaches to 10000, the log to 9999"):
        from_committed(to_commit(stuck), log_end=9_999)


def test_a_position_beyond_the_log_is_not_the_maps_affair() -> None:
    assert from_committed(Position(8), log_end=5) == OffsetMap((), 8)


@pytest.mark.parametrize(
    "text",
    [
        "plan:20",
        "done2:AAAA",
        "someone's note",
        "done1:",
        "done1:AAAA",
        "done1:é",
        "done1:A A=",
        "d",
    ],
)
def test_a_text_that_is_no_map_of_this_version_is_refused(text: str) -> None:
    with pytest.raises(UnreadableMapError):
        from_committed(Position(7, text), log_end=10_000)


def test_no_text_makes_a_reader_unpack_more_than_a_writer_packs() -> None:
    bomb = packed_text(bytes([1]) * 2_000_000, position=7)
    assert len(bomb) < max_characters
    with pytest.raises(UnreadableMapError):
        from_committed(Position(7, bomb), log_end=10**9)
    full = packed_text(bytes([2]) * 64 * 1024, position=7)
    assert from_committed(Position(7, full), log_end=10**9).end == 7 + 2 * 64 * 1024


def test_every_truncated_text_is_refused() -> None:
    position = to_commit(scattered(20, among=200))
    for size in range(1, len(position.metadata)):
        with pytest.raises(UnreadableMapError):
            from_committed(position._replace(metadata=position.metadata[:size]), log_end=200)


def test_plans_and_maps_are_never_taken_for_each_other() -> None:
    assert pending(to_commit(stuck)) is None
    with pytest.raises(UnreadableMapError, match="another kind"):
        from_committed(planned(Span(7, 20)), log_end=20)


def test_what_the_log_no_longer_holds_is_left_out() -> None:
    done = OffsetMap((3, 7, 9), 12)
    assert done.since(0) == done
    assert done.since(8) == OffsetMap((9,), 12)
    assert done.since(20) == OffsetMap((), 20)
