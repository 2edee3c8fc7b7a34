"""The starts of one assignment's partitions, by the group's commits and the objects.

A partition without a commit, because its group was deleted or its offsets have expired, continues
with the last span of its objects, which may be stored in part.

A partition with a commit continues there. The first records of each day are then looked up: an
object that holds them shows that the commit is behind the objects, as after Kafka, or only the
group's offsets, were restored from a backup. Records in objects are then skipped.

Brokers delete the commits of a topic with the topic. So the objects of its former log may be the
only sign that a topic was recreated while the sink was stopped.
"""

from collections.abc import Collection, Mapping
from typing import Final

import structlog

from runtime import metrics
from runtime.errors import ConfigurationError
from runtime.object_store.store import ObjectStore, StoredObject
from runtime.values import Assignment, Resume, Span, TopicPartition
from sinks.object_storage.layout.objects import Frontier, Log, day_path, parse_name
from sinks.object_storage.layout.parquet import read_event_ids
from sinks.object_storage.layout.rows import ObjectKey, ObjectRow, Rows
from sinks.object_storage.resuming.concurrency import for_each
from sinks.object_storage.resuming.search import TopicSearch, read_span

_repair: Final = (
    "Kafka was set back to an earlier state, so that its offsets mean other records now: choose "
    "another ZCC_OBJECT_STORAGE_URL, see docs/how-to/restore.md"
)

log = structlog.get_logger()


class Positions:
    """The known positions of an assignment's partitions; valid until the next assignment."""

    def __init__(self, store: ObjectStore, assignment: Assignment) -> None:
        self.assignment = assignment
        self._store = store
        self._logs = {
            source.topic: Log(assignment.cluster_id, assignment.topic_ids.get(source.topic, ""))
            for source in assignment.partitions
        }
        self._frontiers: dict[TopicPartition, Frontier] = {}
        self._searched: set[TopicPartition] = set()
        self._checked: set[ObjectKey] = set()
        self._begun: set[TopicPartition] = set()
        self._searches: dict[str, TopicSearch] = {}
        self._days: dict[str, dict[int, list[StoredObject]]] = {}

    @property
    def logs(self) -> Mapping[str, Log]:
        """The log of each topic."""
        return self._logs

    @property
    def frontiers(self) -> Mapping[TopicPartition, Frontier]:
        """How far the objects reach, of partitions that are behind their objects."""
        return self._frontiers

    async def resumes(self) -> Mapping[TopicPartition, Resume]:
        """Return where to start reading each partition.

        Raises:
            TransientError: not all objects are listed yet: call again.
            ConfigurationError: the objects do not belong to this log.
        """
        states = self.assignment.partitions
        unknown = {
            source.topic
            for source, state in states.items()
            if state.committed is None and state.log_end > 0  # else it never held a record
        }
        await self._search(unknown)
        return {source: self._resume(source) for source in states}

    def _resume(self, source: TopicPartition) -> Resume:
        state, frontier = self.assignment.partitions[source], self._frontiers.get(source)
        position = state.log_start if state.committed is None else state.committed
        if frontier is None or (state.committed or 0) >= frontier.end:
            return Resume(position)
        if state.committed is None:
            self._count_expired(source, state.log_start - frontier.end)
        return Resume(frontier.start, frontier.end)

    def _count_expired(self, source: TopicPartition, records: int) -> None:
        """Count records that retention deleted before they were stored.

        With a commit the consumer counts them.
        """
        if records > 0:
            labels = self.assignment.group, source.topic, str(source.partition)
            metrics.worker.expired.labels(*labels).inc(records)
            log.error("retention deleted records before they were stored", records=records)

    async def check(self, rows: Rows, spans: Mapping[TopicPartition, Span]) -> None:
        """Check whether the first records of a day are stored already; call it before writing.

        Raises:
            TransientError: not all objects are listed yet: call again.
            ConfigurationError: the objects do not belong to this log.
        """
        keys = [key for key in rows if key not in self._checked]
        keys = [key for key in keys if key.source not in self._searched]
        folders = {day_path(key): key for key in keys if day_path(key) not in self._days}
        await for_each(folders.values(), self._list_day)
        covering = await for_each(keys, lambda key: self._covering(key, rows[key]))
        again = {key for key, span in zip(keys, covering, strict=True) if span == spans[key.source]}
        behind = {
            key.source
            for key, span in zip(keys, covering, strict=True)
            if span is not None and key not in again
        }
        if behind:
            log.warning(
                "committed offsets are lower than those of the objects", partitions=sorted(behind)
            )
            await self._search({source.topic for source in behind})
        self._checked.update(key for key in keys if key not in again)
        self._begun |= spans.keys()

    async def search_again(self, topic: str) -> None:
        """Search again how far the objects of a topic reach."""
        self._searched -= self._partitions(topic)
        await self._search({topic})

    def stored(self, spans: Mapping[TopicPartition, Span]) -> None:
        """Note that a batch is stored."""
        for source, span in spans.items():
            frontier = self._frontiers.get(source)
            if frontier is not None and span.end >= frontier.end:
                del self._frontiers[source]

    async def _search(self, topics: Collection[str]) -> None:
        for topic in sorted(topics):
            wanted = self._partitions(topic) - self._searched
            if wanted:
                search = self._searches.setdefault(
                    topic, TopicSearch(self._store, topic, self._logs[topic])
                )
                frontiers = await search.frontiers(wanted)
                del self._searches[topic]
                if search.replaced:
                    self._log_replaced(topic, search.replaced)
                for source in frontiers.keys() - self._begun:
                    self._refuse_beyond_log(source, frontiers[source])
                self._frontiers |= frontiers
                self._searched |= wanted

    def _log_replaced(self, topic: str, logs: Collection[str]) -> None:
        worker = self.assignment.group.rpartition(".")[2]
        metrics.worker.recreated_topics.labels(worker, topic).inc()
        log.error(
            "the topic was recreated; reading begins at the start of the new log",
            worker=worker,
            topic=topic,
            topic_id=self._logs[topic].name,
            topic_ids_before=sorted(logs),
        )

    def _partitions(self, topic: str) -> set[TopicPartition]:
        return {source for source in self.assignment.partitions if source.topic == topic}

    def _refuse_beyond_log(self, source: TopicPartition, frontier: Frontier) -> None:
        log_end = self.assignment.partitions[source].log_end
        if frontier.end > log_end:
            raise ConfigurationError(
                f"the objects of {source.topic}/{source.partition} reach up to offset "
                f"{frontier.end}, but its log ends at {log_end}: {_repair}"
            )

    async def _list_day(self, key: ObjectKey) -> None:
        name = self._logs[key.source.topic].name
        listed_by_partition: dict[int, list[StoredObject]] = {}
        async for page in self._store.pages(day_path(key)):
            for listed in page:
                parsed = parse_name(listed.path)
                if parsed is not None and parsed.log == name:
                    listed_by_partition.setdefault(parsed.partition, []).append(listed)
        self._days[day_path(key)] = listed_by_partition

    async def _covering(self, key: ObjectKey, rows: list[ObjectRow]) -> Span | None:
        """Return the span of the object with the first of these rows, None where there is none."""
        first = rows[0].offset
        listed = max(
            (each for each in self._of_partition(key) if _start(each) <= first),
            key=_start,
            default=None,
        )
        if listed is None:
            return None
        span = (await read_span(self._store, listed, self._logs[key.source.topic])).span
        if span.end <= first:
            return None
        await refuse_other_events(self._store, listed.path, rows)
        return span

    def _of_partition(self, key: ObjectKey) -> list[StoredObject]:
        return self._days.get(day_path(key), {}).get(key.source.partition, [])


def _start(listed: StoredObject) -> int:
    name = parse_name(listed.path)
    return -1 if name is None else name.start


async def refuse_other_events(store: ObjectStore, path: str, rows: Collection[ObjectRow]) -> None:
    """Compare the rows with those of a stored object at the same offsets.

    Raises:
        ConfigurationError: they are other events.
    """
    stored = await read_event_ids(path, await store.get(path))
    for row in rows:
        if stored.get(row.offset, row.event_id) != row.event_id:
            raise ConfigurationError(
                f"{path} holds another event at offset {row.offset} than the log does: {_repair}"
            )
