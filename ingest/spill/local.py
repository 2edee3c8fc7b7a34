"""Segments in a local folder, each fsynced before it counts as stored.

A segment is written under another name, fsynced and renamed; then the folder is fsynced. Without
the first fsync a power cut may leave a file without its content, without the second no file.
"""

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from ingest.spill.segment import parse_name
from runtime.errors import ConfigurationError, TransientError

_part: Final = ".part"
_folder_mode: Final = 0o750
_operators_fault: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR}
)


class Disk(Protocol):
    """The functions of `os` that make a file durable."""

    def open(self, path: Path, flags: int, mode: int = ...) -> int:
        """See `os.open`."""
        ...

    def write(self, fd: int, data: memoryview, /) -> int:
        """See `os.write`."""
        ...

    def fsync(self, fd: int) -> None:
        """See `os.fsync`."""
        ...

    def close(self, fd: int) -> None:
        """See `os.close`."""
        ...

    def rename(self, src: Path, dst: Path) -> None:
        """See `os.rename`."""
        ...


class FolderSegments:
    """`ingest.spill.store.SegmentStore` in a folder.

    It works in threads. Nothing can end a call to a disk that hangs, so there is no timeout here;
    the caller stops waiting.
    """

    def __init__(self, folder: Path, disk: Disk = os) -> None:
        self._folder = folder
        self._disk = disk

    def make(self, *, successor_of: str) -> None:
        """Make the folder, durably, and remove what a process has left half written.

        Raises:
            ConfigurationError: it cannot be made.
        """
        try:
            _make(self._folder)
            self._remove_parts_of(successor_of)
        except OSError as error:
            raise ConfigurationError(
                f"ZCC_SPILL_URL: the folder {self._folder} cannot be made: {error.strerror}"
            ) from error

    async def put(self, name: str, content: bytes) -> None:
        """See `SegmentStore.put`."""
        await asyncio.to_thread(self._put, name, content)

    async def get(self, name: str) -> bytes | None:
        """See `SegmentStore.get`."""
        return await asyncio.to_thread(self._get, name)

    async def delete(self, name: str) -> None:
        """See `SegmentStore.delete`; not fsynced, because a segment that is back is a duplicate."""
        await asyncio.to_thread(self._delete, name)

    async def sizes(self) -> dict[str, int]:
        """See `SegmentStore.sizes`."""
        return await asyncio.to_thread(self._sizes)

    def _put(self, name: str, content: bytes) -> None:
        part = self._folder / f".{name}{_part}"
        with self._errors_by_fault():
            try:
                self._write(part, content)
                self._disk.rename(part, self._folder / name)
            except OSError:
                with suppress(OSError):
                    part.unlink()
                raise
            _sync(self._folder, self._disk)

    def _write(self, path: Path, content: bytes) -> None:
        descriptor = self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self._disk.write(descriptor, rest) :]
            self._disk.fsync(descriptor)
        finally:
            self._disk.close(descriptor)

    def _get(self, name: str) -> bytes | None:
        with self._errors_by_fault():
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def _delete(self, name: str) -> None:
        with self._errors_by_fault():
            (self._folder / name).unlink(missing_ok=True)

    def _sizes(self) -> dict[str, int]:
        with self._errors_by_fault(), os.scandir(self._folder) as entries:
            return dict(_files(entries))

    def _remove_parts_of(self, instance: str) -> None:
        for part in self._folder.glob(f".*{_part}"):
            name = parse_name(part.name.removeprefix(".").removesuffix(_part))
            if name is not None and name.instance == instance:
                part.unlink(missing_ok=True)

    @contextmanager
    def _errors_by_fault(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"ZCC_SPILL_URL: the folder {self._folder}: {error.strerror}"
            if error.errno in _operators_fault:
                raise ConfigurationError(message) from error
            raise TransientError(message) from error


def _files(entries: Iterator["os.DirEntry[str]"]) -> Iterator[tuple[str, int]]:
    for entry in entries:
        with suppress(FileNotFoundError):  # produced by another process since the listing
            if entry.is_file() and not entry.name.startswith("."):
                yield entry.name, entry.stat().st_size


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(_folder_mode, exist_ok=True)
        _sync(folder.parent, os)


def _sync(folder: Path, disk: Disk) -> None:
    descriptor = disk.open(folder, os.O_RDONLY)
    try:
        disk.fsync(descriptor)
    finally:
        disk.close(descriptor)
