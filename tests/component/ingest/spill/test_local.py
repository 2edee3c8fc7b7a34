"""A folder for segments: in which order a segment becomes durable, and what goes wrong."""

import errno
import os
from pathlib import Path

import pytest

from ingest.spill.local import FolderSegments
from ingest.spill.segment import segment_of
from runtime.errors import ConfigurationError, TransientError
from runtime.values import Record
from tests.support.spill import WatchedDisk

segment = segment_of([Record("t", b"k", b"v" * 100)], at_ms=1_700_000_000_000, instance="pod-0")
name = str(segment.name)


class FullDisk(WatchedDisk):
    """Each file that is written lies on a device without room."""

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        return super().open(Path("/dev/full") if flags & os.O_CREAT else path, flags, mode)


def failing(at: str, error: int = errno.EIO) -> WatchedDisk:
    """A disk that fails at one call with an error of the system."""

    def before(call: str) -> None:
        if call == at:
            raise OSError(error, os.strerror(error))

    return WatchedDisk(before)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_segment_counts_after_fsync_of_its_file_and_then_of_its_folder(
    tmp_path: Path,
) -> None:
    calls: list[str] = []
    await FolderSegments(tmp_path, WatchedDisk(calls.append)).put(name, segment.content)
    part = f".{name}.part"
    assert calls == [
        f"open {part}",
        f"write {part}",
        f"fsync {part}",
        f"rename {part} {name}",
        f"open {tmp_path.name}",
        f"fsync {tmp_path.name}",
    ]


async def test_a_disk_that_takes_a_little_at_a_time_gets_all(tmp_path: Path) -> None:
    folder = FolderSegments(tmp_path, WatchedDisk(chunk=7))
    await folder.put(name, segment.content)
    assert await folder.get(name) == segment.content


@pytest.mark.parametrize(
    "call", [f"write .{name}.part", f"fsync .{name}.part", f"rename .{name}.part {name}"]
)
async def test_a_disk_that_fails_leaves_nothing_behind(tmp_path: Path, call: str) -> None:
    with pytest.raises(TransientError, match="Input/output error"):
        await FolderSegments(tmp_path, failing(call)).put(name, segment.content)
    assert names_in(tmp_path) == []


async def test_a_folder_that_cannot_be_fsynced_is_reported(tmp_path: Path) -> None:
    disk = failing(f"fsync {tmp_path.name}")
    with pytest.raises(TransientError, match="Input/output error"):
        await FolderSegments(tmp_path, disk).put(name, segment.content)


async def test_a_full_disk_will_pass(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="No space left"):
        await FolderSegments(tmp_path, FullDisk()).put(name, segment.content)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
async def test_a_folder_that_may_not_be_written_is_the_operators_fault(
    tmp_path: Path, error: int
) -> None:
    disk = failing(f"open .{name}.part", error)
    with pytest.raises(ConfigurationError, match=f"ZCC_SPILL_URL.*{os.strerror(error)}"):
        await FolderSegments(tmp_path, disk).put(name, segment.content)


async def test_a_folder_that_is_gone_is_reported_by_every_call(tmp_path: Path) -> None:
    folder = FolderSegments(tmp_path / "gone")
    with pytest.raises(ConfigurationError, match="No such file"):
        await folder.put(name, segment.content)
    with pytest.raises(ConfigurationError, match="No such file"):
        await folder.sizes()


async def test_what_cannot_be_read_is_not_taken_for_gone(tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(TransientError, match="Is a directory"):
        await FolderSegments(tmp_path).get(name)


def test_folders_are_made_as_deep_as_needed(tmp_path: Path) -> None:
    FolderSegments(tmp_path / "a" / "b").make(successor_of="pod-0")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"ZCC_SPILL_URL: the folder .* cannot be made"):
        FolderSegments(tmp_path / "file" / "below").make(successor_of="pod-0")


async def test_half_written_segments_do_not_show_and_go_when_their_process_begins_anew(
    tmp_path: Path,
) -> None:
    (tmp_path / f".{name}.part").write_bytes(b"half")
    (tmp_path / f".{name.replace('pod-0', 'other-pod-0')}.part").write_bytes(b"half")
    assert await FolderSegments(tmp_path).sizes() == {}
    assert len(names_in(tmp_path)) == 2
    FolderSegments(tmp_path).make(successor_of="pod-0")
    assert names_in(tmp_path) == [f".{name.replace('pod-0', 'other-pod-0')}.part"]


async def test_folders_next_to_the_segments_are_no_segments(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    assert await FolderSegments(tmp_path).sizes() == {}
