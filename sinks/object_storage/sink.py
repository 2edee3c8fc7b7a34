"""The sink: each record in exactly one Parquet object, through any crash.

The runtime commits the span of a batch before it calls `write` and presents the same span again
after a crash (`planned`). Objects are named by log, partition, day and start of the span, and are
only ever created. A writer that repeats a span therefore meets its own objects, checks that they
hold the same events, and creates the missing ones. `objects` has the rule that lets a sink continue
without a commit, and `positions` applies it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Self

from runtime.errors import ConfigurationError, TransientError
from runtime.object_store.store import ObjectStore, open_object_store
from runtime.values import Assignment, Batch, Rejection, Resume, TopicPartition
from sinks.object_storage.layout.objects import PlannedObject, plan_objects, stored_span
from sinks.object_storage.layout.parquet import encode, read_footer
from sinks.object_storage.layout.rows import ReadBatch, read_rows
from sinks.object_storage.metrics import metrics
from sinks.object_storage.resuming.positions import Positions, refuse_other_events
from sinks.object_storage.settings import ObjectStorageSettings

marker_path: Final = "zcc-events"
"""An object that names the owner of the prefix; the first start proves create-only with it."""
cluster_path: Final = "zcc-cluster"
"""An object that holds the id of the Kafka cluster whose records lie below the prefix."""

_marker: Final = b"Parquet objects below this prefix are written by the object-storage sink.\n"


class ObjectStorageSink:
    """Implements `runtime.contracts.Sink`."""

    planned: Final = True

    def __init__(self, settings: ObjectStorageSettings) -> None:
        self._settings = settings
        self.limits: Final = settings.rotation
        """When the batches end, objects are closed; see `runtime.contracts.Sink.limits`."""
        self._store: ObjectStore | None = None
        self._positions: Positions | None = None

    async def __aenter__(self) -> Self:
        """Open the store and see that it keeps to create-only.

        Raises:
            TransientError: the store does not answer.
            ConfigurationError: no such bucket, no right to write, or no create-only.
        """
        self._store = store = open_object_store(
            self._settings, request_timeout_s=self._settings.request_timeout_s
        )
        created = await store.create(marker_path, _marker)
        if created and await store.create(marker_path, _marker):
            raise ConfigurationError(
                "this object storage overwrites objects that are only to be created (it ignores "
                "If-None-Match), so records could not be kept from being stored twice"
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._store = self._positions = None

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        """Start where the group has committed, else where the objects end.

        Raises:
            TransientError: the store does not answer, or not all objects are listed yet.
            ConfigurationError: the objects are of another Kafka, or of another log.
        """
        await self._refuse_other_cluster(assignment.cluster_id)
        if self._positions is None or self._positions.assignment is not assignment:
            self._positions = Positions(self._opened, assignment)
        return await self._positions.resumes()

    async def prepare(self, batch: Batch) -> ReadBatch:
        """Read the rows of a batch; see `runtime.contracts.Sink.prepare`."""
        return await asyncio.to_thread(read_rows, batch)

    async def write(self, batch: Batch, prepared: ReadBatch) -> Sequence[Rejection]:
        """Create the objects of a batch; see `runtime.contracts.Sink.write`."""
        positions = self._positions
        if positions is None:
            raise RuntimeError("write was called before assigned")
        rows, rejections = prepared
        if rejections:
            return rejections
        await positions.check(rows, batch.spans)
        written = 0
        for planned in plan_objects(
            rows, batch.spans, logs=positions.logs, frontiers=positions.frontiers
        ):
            written += len(planned.rows)
            if planned.stored or not await self._create(planned):
                await self._adopt(planned, positions)
        metrics.skipped.inc(sum(map(len, rows.values())) - written)
        positions.stored(batch.spans)
        return ()

    async def _create(self, planned: PlannedObject) -> bool:
        content = await encode(planned.table)
        created = await self._opened.create(planned.path, content)
        if created:
            metrics.objects.inc()
            metrics.rows.inc(len(planned.rows))
            metrics.stored.inc(len(content))
        return created

    async def _adopt(self, planned: PlannedObject, positions: Positions) -> None:
        """Leave an object as it is that holds these rows already."""
        content = await self._opened.get(planned.path)
        footer = await read_footer(planned.path, content)
        span = stored_span(planned.path, footer, planned.log).span
        if span != planned.span:
            await positions.search_again(planned.key.source.topic)
            raise TransientError(
                f"{planned.path} ends at offset {span.end}, not {planned.span.end}: the batch is "
                f"planned again behind it"
            )
        await refuse_other_events(self._opened, planned.path, planned.rows)
        metrics.adopted.inc()

    async def _refuse_other_cluster(self, cluster_id: str) -> None:
        if await self._opened.create(cluster_path, cluster_id.encode()):
            return
        owner_id = (await self._opened.get(cluster_path)).decode("utf-8", "replace")
        if owner_id != cluster_id:
            raise ConfigurationError(
                f"the objects below ZCC_OBJECT_STORAGE_URL are of Kafka cluster {owner_id}, this "
                f"one is {cluster_id}: connect to that one, choose another URL, or delete the "
                f"object {cluster_path} to store this one's next to them (docs/how-to/restore.md)"
            )

    @property
    def _opened(self) -> ObjectStore:
        if self._store is None:
            raise RuntimeError("the sink is used outside its context")
        return self._store
