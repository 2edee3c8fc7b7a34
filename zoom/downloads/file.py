"""Writes a file that appears complete or not at all.

It is written under a temporary name, fsynced and renamed, and then its folder is fsynced. Disk I/O
runs in threads. Nothing can end a call to a hanging disk, so there is no time limit here.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock


class NewFile:
    """A `zoom.downloads.ports.Target` next to its final path. Open it with `new_file`.

    A thread outlives the cancellation of its waiting task. The lock keeps a late write from a
    descriptor that is closed, or that belongs to another file by then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        descriptor, part = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".part", dir=path.parent
        )
        self._part = Path(part)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    async def write(self, chunk: bytes, /) -> None:
        """See `Target.write`."""
        await asyncio.to_thread(self._write, chunk)

    async def restart(self) -> None:
        """See `Target.restart`."""
        await asyncio.to_thread(self._restart)

    def keep(self) -> None:
        """Make the file durable under its final name."""
        with self._lock, self._file:
            os.fsync(self._file.fileno())
        self._part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove the file."""
        with self._lock:
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _write(self, chunk: bytes) -> None:
        with self._lock:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]

    def _restart(self) -> None:
        with self._lock:
            self._file.seek(0)
            self._file.truncate()


@asynccontextmanager
async def new_file(path: Path) -> AsyncIterator[NewFile]:
    """Create a file that only its owner can read: at ``path`` if the body succeeds, else nowhere.

    A killed process leaves its part behind, ``.<name>.<random>.part``.

    Raises:
        OSError: it cannot be written.
    """
    file = await asyncio.to_thread(NewFile, path)
    try:
        yield file
        await asyncio.to_thread(file.keep)
    finally:
        await asyncio.to_thread(file.discard)
