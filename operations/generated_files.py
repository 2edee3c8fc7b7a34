"""Reads the source of generated files, and writes the files that have changed."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from runtime.errors import ConfigurationError


def read_source(path: Path) -> bytes:
    """Return the content of a file that the user named.

    Raises:
        ConfigurationError: it cannot be read; one line.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read it: {error.strerror}") from None


def write_changed(files: Mapping[str, bytes], out: Path) -> list[Path]:
    """Write files, by their path below ``out``; each appears whole.

    Returns:
        Those that are new or changed.

    Raises:
        ConfigurationError: ``out`` cannot be written; one line.
    """
    changed = {
        out / name: content for name, content in files.items() if _content(out / name) != content
    }
    try:
        _write(changed)
    except OSError as error:
        raise ConfigurationError(f"{out}: cannot write there: {error.strerror}") from None
    return list(changed)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _write(files: Mapping[Path, bytes]) -> None:
    """Write all files under temporary names, then rename them."""
    with ExitStack() as leftovers:
        parts = {path: path.with_name(f".{path.name}.part") for path in files}
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            leftovers.callback(parts[path].unlink, missing_ok=True)
            parts[path].write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
