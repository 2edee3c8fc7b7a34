"""What an answer brings of a file, and whether it goes on with another."""

import pytest

from zoom.downloads.arriving import DownloadRetries, max_breaks, progress_bytes
from zoom.downloads.pieces import Piece, continues, piece_in, resuming

tag = '"v1"'
whole = Piece(0, 100, "audio/mp4", tag)


@pytest.mark.parametrize(
    ("status", "headers", "piece"),
    [
        (200, {"content-length": "100", "etag": tag, "content-type": "Audio/MP4; x=y"}, whole),
        (200, {"transfer-encoding": "chunked"}, Piece(0, None, "", "")),
        (200, {"content-length": "0"}, Piece(0, 0, "", "")),
        (206, {"content-range": "bytes 40-99/100"}, Piece(40, 100, "", "")),
        (
            200,
            {"content-length": "1", "etag": 'W/"v1"', "last-modified": "Mon"},
            Piece(0, 1, "", "Mon"),
        ),
        (200, {"content-length": "1", "content-encoding": "identity"}, Piece(0, 1, "", "")),
        (200, {}, None),
        (200, {"content-length": "-1"}, None),
        (200, {"content-length": "1", "content-encoding": "gzip"}, None),
        (206, {"content-length": "100"}, None),
        (206, {"content-range": "bytes 40-98/100"}, None),
        (206, {"content-range": "bytes 40-99/*"}, None),
        (206, {"content-range": "bytes */100"}, None),
        (204, {"content-length": "0"}, None),
        (404, {"content-length": "100"}, None),
    ],
)
def test_headers_tell_the_piece(status: int, headers: dict[str, str], piece: Piece | None) -> None:
    assert piece_in(status, headers) == piece


def test_the_rest_is_requested_where_a_tag_identifies_the_content() -> None:
    assert resuming(whole, 40) == {"Range": "bytes=40-", "If-Range": tag}
    assert resuming(whole, 0) == {}
    assert resuming(Piece(0, 100, "", ""), 40) == {}


@pytest.mark.parametrize(
    ("rest", "goes_on"),
    [
        (Piece(40, 100, "", tag), True),
        (Piece(40, 100, "", ""), True),
        (Piece(39, 100, "", tag), False),
        (Piece(0, 100, "", tag), False),
        (Piece(40, 101, "", tag), False),
        (Piece(40, 100, "", '"v2"'), False),
    ],
)
def test_only_the_rest_of_the_same_content_goes_on(rest: Piece, *, goes_on: bool) -> None:
    assert continues(rest, whole, 40) is goes_on


def test_a_size_that_was_not_known_may_become_known() -> None:
    assert continues(Piece(40, 100, "", tag), Piece(0, None, "", tag), 40)


def test_patience_ends_after_breaks_without_progress_and_waits_longer_each_time() -> None:
    retries = DownloadRetries()
    pauses_s = [retries.pause_s(0) for _ in range(max_breaks + 1)]
    assert pauses_s == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, None]


def test_progress_renews_patience_and_to_come_as_far_again_is_none() -> None:
    retries = DownloadRetries()
    assert retries.pause_s(progress_bytes) == 0.5
    assert retries.pause_s(progress_bytes) == 1.0
    assert retries.pause_s(2 * progress_bytes - 1) == 2.0
    assert retries.pause_s(2 * progress_bytes) == 0.5
    assert retries.pause_s(0) == 1.0
    assert retries.pause_s(2 * progress_bytes) == 2.0
