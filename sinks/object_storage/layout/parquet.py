"""Writes Parquet files in memory, and reads the parts that the sink needs."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from runtime.errors import ConfigurationError

_compression: Final = "zstd"


async def encode(table: Callable[[], pa.Table]) -> bytes:
    """Build a table in a thread and return it as a file."""
    return await asyncio.to_thread(_encode, table)


async def read_footer(path: str, tail: bytes) -> Mapping[bytes, bytes] | None:
    """Return the footer's entries; ``tail`` is the file, or the end of it with the footer.

    Raises:
        ConfigurationError: it is not a Parquet file.
    """
    return await asyncio.to_thread(_footer, path, tail)


async def read_event_ids(path: str, content: bytes) -> Mapping[int, str]:
    """Return the event id of each offset.

    Raises:
        ConfigurationError: it is not a Parquet file of this sink.
    """
    return await asyncio.to_thread(_event_ids, path, content)


def _encode(table: Callable[[], pa.Table]) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table(), buffer, compression=_compression)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def _footer(path: str, tail: bytes) -> Mapping[bytes, bytes] | None:
    try:
        metadata: Mapping[bytes, bytes] | None = pq.read_schema(pa.BufferReader(tail)).metadata
    except (pa.ArrowInvalid, OSError) as error:
        raise _foreign(path) from error
    return metadata


def _event_ids(path: str, content: bytes) -> Mapping[int, str]:
    try:
        table = pq.read_table(pa.BufferReader(content), columns=["offset", "event_id"])
        return dict(zip(table["offset"].to_pylist(), table["event_id"].to_pylist(), strict=True))
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise _foreign(path) from error


def _foreign(path: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} exists, but is not a Parquet file of this sink: move it away, or choose another "
        f"ZCC_OBJECT_STORAGE_URL"
    )
