"""Pure: the finished records beyond a position, as text in the metadata of its commit.

Few records are in flight and many may be done beyond the first of them, so the map names the
unfinished ones. Every other offset before its end needs no work: it belongs to a finished record,
or to a gap (compaction, transaction markers).

The text is ``done1:`` and, in base64, a CRC-32 and the deflated distances from one offset to the
next: position, each unfinished one, the end. Each distance is written in groups of seven bits, the
lowest first, the top bit set where more follow. The checksum covers the position, so a text with
another position is not a map.

A map that does not fit into ``max_characters`` is cut at its end, because its front is read first.
"""

import binascii
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from runtime.offsets.topic_ids import topic_id_characters
from runtime.ports import Position

_max_metadata_characters: Final = 4096
"""The brokers' limit for the metadata of an offset. Source: Apache Kafka, default of
offset.metadata.max.bytes"""

max_characters: Final = _max_metadata_characters - topic_id_characters
"""The limit of a map: the topic's id follows it in the metadata."""

_prefix: Final = "done1:"
_max_packed_bytes: Final = 64 * 1024
"""Limit of the inflated distances; a larger text is not one of ours."""
_checksum_bytes: Final = 4
_group_bits: Final = 7
_more: Final = 1 << _group_bits


class UnreadableMapError(Exception):
    """The metadata of a position is not a map that this version can read."""


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Everything before ``end`` is done except the ``unfinished`` offsets, which rise."""

    unfinished: tuple[int, ...]
    end: int

    @property
    def position(self) -> int:
        """The offset that may be committed: everything before it is done."""
        return self.unfinished[0] if self.unfinished else self.end

    def since(self, log_start: int) -> "OffsetMap":
        """Return the map without the offsets that the log no longer holds."""
        held = tuple(offset for offset in self.unfinished if offset >= log_start)
        return OffsetMap(held, max(self.end, log_start))


def to_commit(done: OffsetMap) -> Position:
    """Return the position with the map as metadata, or with the front of the map that fits."""
    distances = [after - at for at, after in pairwise((*done.unfinished, done.end))]
    while distances and distances[-1] == 1:
        distances.pop()  # nothing is done between the last unfinished one and the end
    position = done.position
    packed = _packed(distances)
    while packed:
        text = _text(position, packed)
        if len(text) <= max_characters:
            return Position(position, text)
        packed = _front(packed, len(packed) * max_characters // len(text))
    return Position(position)


def from_committed(position: Position, *, log_end: int) -> OffsetMap:
    """Return the map of a commit. Without metadata, only the offsets before the position are done.

    Raises:
        UnreadableMapError: the text is not a map of this version, or is damaged, or reaches beyond
            the log: records were lost, and others will get their offsets.
    """
    if not position.metadata:
        return OffsetMap((), position.offset)
    offsets = [position.offset]
    for distance in _distances(_packed_of(position)):
        offsets.append(offsets[-1] + distance)
    if offsets[-1] > log_end:
        raise UnreadableMapError(f"it reaches to {offsets[-1]}, the log to {log_end}")
    return OffsetMap(tuple(offsets[:-1]), offsets[-1])


def _text(position: int, packed: bytes) -> str:
    deflated = zlib.compress(packed, wbits=-zlib.MAX_WBITS)
    checked = _checksum(position, packed) + deflated
    return _prefix + binascii.b2a_base64(checked, newline=False).decode()


def _packed_of(position: Position) -> bytes:
    """Return the distances that `_text` was made from."""
    if not position.metadata.startswith(_prefix):
        raise UnreadableMapError("a text of another kind or version")
    try:
        checked = binascii.a2b_base64(position.metadata.removeprefix(_prefix), strict_mode=True)
        inflation = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        packed = inflation.decompress(checked[_checksum_bytes:], _max_packed_bytes + 1)
    except (ValueError, zlib.error):
        raise UnreadableMapError("it cannot be unpacked") from None
    if not inflation.eof or checked[:_checksum_bytes] != _checksum(position.offset, packed):
        raise UnreadableMapError("its checksum is another, or it belongs to another position")
    return packed


def _checksum(position: int, packed: bytes) -> bytes:
    return zlib.crc32(packed, zlib.crc32(b"%d:" % position)).to_bytes(_checksum_bytes, "big")


def _packed(distances: list[int]) -> bytes:
    packed = bytearray()
    for distance in distances:
        rest = distance
        while rest >= _more:
            packed.append(rest % _more | _more)
            rest >>= _group_bits
        packed.append(rest)
    return _front(bytes(packed), _max_packed_bytes)


def _front(packed: bytes, size: int) -> bytes:
    """Return up to ``size`` bytes from the front, whole distances only."""
    front = packed[:size]
    while front and front[-1] & _more:
        front = front[:-1]
    return front


def _distances(packed: bytes) -> list[int]:
    distances, shift, distance = [], 0, 0
    for byte in packed:
        distance |= byte % _more << shift
        if byte & _more:
            shift += _group_bits
            continue
        distances.append(distance)
        shift, distance = 0, 0
    return distances
