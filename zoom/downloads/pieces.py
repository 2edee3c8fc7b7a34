"""Pure: which piece of a file an answer brings, by its headers.

Source: RFC 9110, sections 8.8 (validators), 13.1.5 (If-Range) and 14 (ranges).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file, from byte ``start`` to its end.

    ``size_bytes`` is the size of the whole file, None where only the end shows it. `resuming` sends
    the ``validator``; it is empty where nothing identifies the content.
    """

    start: int
    size_bytes: int | None
    content_type: str
    validator: str


def piece_in(status: int, headers: Mapping[str, str]) -> Piece | None:
    """Return the piece that an answer brings; None where it brings none, or does not say which.

    Names of headers are lower-case. An answer is no piece if it is compressed, or if its end looks
    like a broken connection.
    """
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return None
    extent = _extent_of_all(headers) if status == HTTPStatus.OK else None
    if status == HTTPStatus.PARTIAL_CONTENT:
        extent = _extent_of_range(headers.get("content-range", ""))
    if extent is None:
        return None
    start, size_bytes = extent
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Piece(start, size_bytes, content_type, _validator(headers))


def resuming(piece: Piece, received_bytes: int) -> dict[str, str]:
    """Return the headers that request the rest; empty where only the whole can be requested."""
    if not piece.validator or not received_bytes:
        return {}
    return {"Range": f"bytes={received_bytes}-", "If-Range": piece.validator}


def continues(rest: Piece, piece: Piece, received_bytes: int) -> bool:
    """Return whether this is the rest of the same content."""
    return (
        rest.start == received_bytes
        and rest.size_bytes == (piece.size_bytes or rest.size_bytes)
        and (not rest.validator or rest.validator == piece.validator)
    )


def _extent_of_all(headers: Mapping[str, str]) -> tuple[int, int | None] | None:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdecimal():
        return 0, int(length)
    chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
    return (0, None) if chunked else None


def _extent_of_range(text: str) -> tuple[int, int | None] | None:
    """Return start and size of a range that reaches to the end."""
    match = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", text.strip())
    if match is None or int(match[2]) + 1 != int(match[3]):
        return None
    return int(match[1]), int(match[3])


def _validator(headers: Mapping[str, str]) -> str:
    """Return a strong entity tag, or a date; a weak tag does not promise the same bytes."""
    tag = headers.get("etag", "")
    return tag if tag.startswith('"') else headers.get("last-modified", "")
