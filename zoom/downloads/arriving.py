"""The progress of one download: the received bytes, and the retries after broken connections."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from runtime.retries.policy import doubled_delay_s
from zoom.downloads.pieces import Piece, continues, resuming
from zoom.downloads.ports import Target
from zoom.errors import ZoomFault, error_of

max_breaks: Final = 6
"""Consecutive breaks without `progress_bytes` between them; their pauses add up to half a
minute."""

progress_bytes: Final = 1024 * 1024

_first_pause_s: Final = 0.5
_max_pause_s: Final = 15.0


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The result of a download. ``sha256`` is hexadecimal, ``content_type`` lower-case and bare."""

    size_bytes: int
    sha256: str
    content_type: str


class Arriving:
    """The bytes of one download on their way to its target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._piece: Piece | None = None
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def begun(self) -> bool:
        """Whether an answer has brought a piece of the file."""
        return self._piece is not None

    def request_headers(self) -> dict[str, str]:
        """Return the headers that request the missing bytes."""
        return resuming(self._piece, self.size_bytes) if self._piece else {}

    async def begin(self, piece: Piece) -> None:
        """Accept a piece as the next bytes. The received bytes stay if the piece continues them.

        Raises:
            UnavailableError: the piece is not the missing one.
        """
        if self._piece and self.size_bytes and continues(piece, self._piece, self.size_bytes):
            self._piece = replace(self._piece, size_bytes=piece.size_bytes)
            return
        await self.restart()
        self._piece = piece
        if piece.start:
            raise error_of(ZoomFault.NETWORK, "the rest belongs to another file than the beginning")

    async def restart(self) -> None:
        """Discard the received bytes."""
        if self.size_bytes:
            await self._target.restart()
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    async def take(self, chunk: bytes) -> None:
        """Pass the next bytes to the target."""
        await self._target.write(chunk)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def downloaded(self) -> Downloaded:
        """Return the result, after the end of the file.

        Raises:
            NotReadyError: the file is empty.
            UnavailableError: its length differs from the announced one.
        """
        piece = self._piece
        if piece is None or not self.size_bytes:
            raise error_of(ZoomFault.NOT_READY, "a download without a byte")
        if piece.size_bytes not in (None, self.size_bytes):
            detail = f"expected {piece.size_bytes} bytes, {self.size_bytes} came"
            raise error_of(ZoomFault.NETWORK, detail)
        return Downloaded(self.size_bytes, self._hash.hexdigest(), piece.content_type)


class DownloadRetries:
    """Limits the retries of one download. Progress renews them, a new beginning does not."""

    def __init__(self) -> None:
        self._breaks = 0
        self._furthest_bytes = 0

    def pause_s(self, size_bytes: int) -> float | None:
        """Return the pause after a break at this size, None where no retry is left."""
        if size_bytes >= self._furthest_bytes + progress_bytes:
            self._breaks, self._furthest_bytes = 0, size_bytes
        self._breaks += 1
        if self._breaks > max_breaks:
            return None
        return doubled_delay_s(self._breaks, first_s=_first_pause_s, limit_s=_max_pause_s)
