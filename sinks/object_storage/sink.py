"""The sink: each record in exactly one Parquet object, whatever crashes.

The runtime commits the span of a batch before it calls `write` and presents the same span again
after a crash (`planned`). Objects are named by partition, day and start of the span, and are only
ever created. Whoever writes a span a second time therefore meets its own objects, reads from their
footers up to where they reach, and writes what is missing behind that.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore import exceptions
from obstore.store import ObjectStore

from runtime import telemetry
from runtime.errors import ConfigurationError, TransientError
from runtime.values import Assignment, Batch, Rejection, Resume, TopicPartition
from sinks.object_storage.rows import PlannedObject, footer_end, plan_objects, read_rows
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.store import open_store

marker_path: Final = "zcc-events"
"""An object that names the owner of the prefix; the first start proves create-only with it."""

_marker: Final = b"Parquet objects below this prefix are written by the object-storage sink.\n"
_compression: Final = "zstd"

_refused: Final = "object storage refuses"
_check: Final = "check ZCC_OBJECT_STORAGE_URL and keys"
_no_bucket: Final = (
    "object storage does not know the bucket of ZCC_OBJECT_STORAGE_URL; create it first"
)
_status: Final = re.compile(r"non-2xx status code: (401|403|404)\b")
_refusals: Final = {
    "401": f"{_refused}: 401; {_check}",
    "403": f"{_refused}: 403; {_check}",
    "404": _no_bucket,
}


class ObjectStorageSink:
    """Implements `runtime.contracts.Sink`."""

    planned: Final = True

    def __init__(self, settings: ObjectStorageSettings) -> None:
        self._settings = settings
        self._store: ObjectStore | None = None

    async def __aenter__(self) -> Self:
        """Open the store and see that it keeps to create-only.

        Raises:
            TransientError: the store does not answer.
            ConfigurationError: no such bucket, no right to write, or no create-only.
        """
        self._store = open_store(self._settings)
        created = await self._put_new(marker_path, _marker)
        if created and await self._put_new(marker_path, _marker):
            raise ConfigurationError(
                "this object storage overwrites objects that are only to be created (it ignores "
                "If-None-Match), so records could not be kept from being stored twice"
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store = None

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        """Start where the group has committed: Kafka holds the plans and the positions."""
        return {
            partition: Resume(state.log_start if state.committed is None else state.committed)
            for partition, state in assignment.partitions.items()
        }

    async def prepare(self, batch: Batch) -> None:
        """Do nothing: see `runtime.contracts.Sink.prepare`."""

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        """Create the objects of a batch; see `runtime.contracts.Sink.write`."""
        rows, rejections = await asyncio.to_thread(read_rows, batch)
        if rejections:
            return rejections
        for planned in plan_objects(rows, batch.spans):
            await self._create(planned)
        return ()

    async def _create(self, planned: PlannedObject) -> None:
        remaining: PlannedObject | None = planned
        while remaining is not None:
            content = await asyncio.to_thread(_parquet, remaining.rows)
            if await self._put_new(remaining.path, content):
                telemetry.object_storage.objects.inc()
                telemetry.object_storage.rows.inc(len(remaining.rows))
                telemetry.object_storage.stored.inc(len(content))
                return
            telemetry.object_storage.adopted.inc()
            remaining = remaining.after(await self._end_of(remaining.path))

    async def _put_new(self, path: str, content: bytes) -> bool:
        try:
            with errors_by_fault():
                async with asyncio.timeout(self._settings.request_timeout_s):
                    await obstore.put_async(self._opened, path, content, mode="create")
        except FileExistsError:
            return False
        return True

    async def _end_of(self, path: str) -> int:
        with errors_by_fault():
            async with asyncio.timeout(self._settings.request_timeout_s):
                answer = await obstore.get_async(self._opened, path)
                content = await answer.bytes_async()
        schema = await asyncio.to_thread(pq.read_schema, pa.BufferReader(content.to_bytes()))
        end = footer_end(schema.metadata)
        if end is None:
            raise ConfigurationError(
                f"{path} exists and was not written by this sink: its footer names no span of "
                "offsets; move it away, or choose another ZCC_OBJECT_STORAGE_URL"
            )
        return end

    @property
    def _opened(self) -> ObjectStore:
        if self._store is None:
            raise RuntimeError("the sink is used outside its context")
        return self._store


def _parquet(rows: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(rows, buffer, compression=_compression)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


@contextmanager
def errors_by_fault() -> Iterator[None]:
    """Turn the store's errors into ours; `FileExistsError` stays what it is."""
    try:
        yield
    except (exceptions.AlreadyExistsError, FileExistsError):
        raise FileExistsError from None
    except (
        exceptions.PermissionDeniedError,
        exceptions.UnauthenticatedError,
        exceptions.InvalidPathError,
        exceptions.NotSupportedError,
        exceptions.UnknownConfigurationKeyError,
    ) as error:
        raise ConfigurationError(f"{_refused}: {type(error).__name__}; {_check}") from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise ConfigurationError(_no_bucket) from error
    except (exceptions.BaseError, OSError, TimeoutError) as error:
        # A refused list is no class of its own in the library: its message has the status alone.
        refused = _status.search(str(error))
        if refused is not None:
            raise ConfigurationError(_refusals[refused[1]]) from error
        raise TransientError(f"object storage does not answer: {type(error).__name__}") from error
