"""Detects recreated topics by comparing topic ids with those of the assignment.

A topic that is deleted and recreated would be read on by its name, from an offset of the old log.
Steps to the loss that this module prevents: commit 500; the topic is recreated and grows to 800
before any check; read 500 to 799; nobody ever reads 0 to 499. So the ids are read before anything
else of an assignment, and checked while it lasts. A commit names the log of its assignment, and
counts in no other log.
"""

from collections.abc import Collection, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as LibraryPartition

from runtime import metrics
from runtime.clock import Clock
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.cluster import Cluster
from runtime.kafka.connection import answering
from runtime.offsets.topic_ids import differs, of_these_logs, split_topic_id, with_topic_id
from runtime.ports import Position
from runtime.values import TopicPartition

check_interval_s: Final = 5.0
"""Interval of the check: parsing an answer about all topics takes milliseconds."""

_check_timeout_s: Final = 1.0
"""`poll` waits for the check."""

log = structlog.get_logger()


def leaders(client: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Collection[int]:
    """Return the brokers that serve these partitions to a consumer, as far as it knows them."""
    cluster = client._client.cluster  # noqa: SLF001 - the library offers no other way
    nodes = {cluster.leader_for_partition(LibraryPartition(*source)) for source in partitions}
    return sorted(leader for leader in nodes if leader is not None and leader >= 0)


def read_to(client: AIOKafkaConsumer, source: TopicPartition) -> int | None:
    """Return the offset from which a consumer continues with a partition, None without one."""
    assignment = client._subscription.subscription.assignment  # noqa: SLF001 - `position` may wait
    if LibraryPartition(*source) not in assignment.tps:
        return None
    state = assignment.state_value(LibraryPartition(*source))
    return int(state.position) if state.has_valid_position else None


class OwnedLogs:
    """The topic ids of one member. ``worker`` is its name in the metrics."""

    def __init__(self, cluster: Cluster, *, worker: str, clock: Clock) -> None:
        self._cluster = cluster
        self._worker = worker
        self._clock = clock
        self._checked_s = clock.monotonic_s()
        self._ids: Mapping[str, str] = {}
        self._known: dict[str, str] = {}
        self._reported: set[str] = set()

    async def begin_assignment(
        self, topics: Collection[str], brokers: Collection[int]
    ) -> Mapping[str, str]:
        """Take the present ids of these topics as those of the assignment that begins.

        A topic may be deleted during one assignment and recreated before the next. The brokers have
        then deleted its commits as well, and only the ids of the earlier assignment show it.

        Raises:
            TransientError: the brokers do not answer, or do not agree.
        """
        self._ids = await self._cluster.topic_ids(topics, brokers=brokers)
        for topic in topics:
            metrics.worker.recreated_topics.labels(self._worker, topic)
        for topic, topic_id in self._ids.items():
            before = self._known.setdefault(topic, topic_id)
            if differs(before, topic_id):
                self._report(topic, before, topic_id)
        return self._ids

    def to_commit(
        self, positions: Mapping[TopicPartition, Position]
    ) -> Mapping[TopicPartition, Position]:
        """Return the positions with the ids of their logs."""
        return {
            source: with_topic_id(position, self._ids.get(source.topic, ""))
            for source, position in positions.items()
        }

    def committed(
        self, positions: Mapping[TopicPartition, Position | None]
    ) -> Mapping[TopicPartition, Position | None]:
        """Return the commits in the logs of the assignment, without the ids."""
        return of_these_logs(positions, self._ids)

    def count_replaced(self, positions: Mapping[TopicPartition, Position | None]) -> None:
        """Count and log each topic with a commit in another log."""
        replaced = {}
        for source, position in positions.items():
            topic_id = "" if position is None else split_topic_id(position)[1]
            if differs(topic_id, self._ids.get(source.topic, "")):
                replaced[source.topic] = topic_id
        for topic, topic_id in replaced.items():
            self._report(topic, topic_id, self._ids[topic])

    async def refuse_recreated(self, topics: Collection[str], brokers: Collection[int]) -> None:
        """Refuse unless these topics are those of the assignment, or do not exist at present.

        Raises:
            FencedError: one of them was recreated; its assignment is void.
            TransientError: the brokers do not answer, or do not agree.
        """
        present = await self._cluster.topic_ids(topics, brokers=brokers)
        recreated = [
            topic for topic in topics if differs(self._ids.get(topic, ""), present.get(topic, ""))
        ]
        for topic in recreated:
            self._report(topic, self._ids[topic], present[topic])
        if recreated:
            raise FencedError(f"recreated since the assignment: {', '.join(sorted(recreated))}")

    async def check(self, brokers: Collection[int]) -> None:
        """Compare the ids once per interval. Brokers that do not answer are asked again later.

        Raises:
            FencedError: as `refuse_recreated`.
        """
        now_s = self._clock.monotonic_s()
        if not self._ids or now_s - self._checked_s < check_interval_s:
            return
        self._checked_s = now_s
        try:
            async with answering("topic ids", timeout_s=_check_timeout_s):
                await self.refuse_recreated(self._ids, brokers)
        except (TransientError, ConfigurationError) as error:
            log.debug("topic ids not seen", worker=self._worker, error=str(error))

    def _report(self, topic: str, before: str, now: str) -> None:
        """Count and log a new log, once."""
        if now in self._reported:
            return
        self._known[topic] = now
        self._reported.add(now)
        metrics.worker.recreated_topics.labels(self._worker, topic).inc()
        log.error(
            "the topic was recreated; reading begins at the start of the new log",
            worker=self._worker,
            topic=topic,
            topic_id=now,
            topic_id_before=before,
        )
