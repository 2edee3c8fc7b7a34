"""Creates topics, compares them with their specifications and counts their records."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple, Self

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.kafka.cluster import Cluster
from runtime.kafka.connection import answering, connecting, connection_options
from runtime.offsets.topic_ids import of_these_logs
from runtime.ports import LogBounds
from runtime.settings import KafkaSettings
from runtime.topic_settings import (
    AddPartitions,
    Change,
    Configure,
    Create,
    Refuse,
    TopicChanges,
    TopicState,
    changes,
    describe_change,
    wanted_configs,
)
from runtime.values import TopicPartition
from schemas.topics import TopicSpec

_change_timeout_s: Final = 30.0
_visible_interval_s: Final = 0.1
_client_id: Final = "zcc-admin"

_set_on_topic: Final = 1
"""Where a value comes from. Source: Kafka protocol guide, DescribeConfigs, config_source."""


class Lag(NamedTuple):
    """How far a group is in a partition. ``committed`` is None where it has committed nothing.

    A commit in an earlier topic of the same name counts as nothing.
    """

    committed: int | None
    log_start: int
    log_end: int

    @property
    def position(self) -> int:
        """The offset that the group would read next."""
        return max(self.committed or 0, self.log_start)

    @property
    def expired(self) -> int:
        """How many offsets after the commit are deleted, by retention or by hand."""
        return 0 if self.committed is None else max(0, self.log_start - self.committed)

    @property
    def behind(self) -> int:
        """How many offsets lie between the position and the end of the log."""
        return max(0, self.log_end - self.position)


class TopicAdmin:
    """Creates and inspects topics. An async context manager.

    All methods raise TransientError where the brokers do not answer in time, ConfigurationError
    where they refuse.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings, client_id=_client_id)
        self._parts = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as parts:
            await parts.enter_async_context(self._cluster)
            self._client = AIOKafkaAdminClient(
                **connection_options(self._settings),
                client_id=_client_id,
                request_timeout_ms=int(_change_timeout_s * 1000),
            )
            parts.push_async_callback(self._client.close)
            async with connecting(self._settings):
                await self._client.start()
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def cluster_id(self) -> str:
        """Return the name of the cluster."""
        return await self._cluster.cluster_id()

    async def check(self, specs: Sequence[TopicSpec]) -> TopicChanges:
        """Return how the topics differ from their specifications, and change nothing."""
        planned = await self._planned(specs)
        return TopicChanges(tuple(map(describe_change, planned)), settled=not planned)

    async def apply(self, specs: Sequence[TopicSpec]) -> TopicChanges:
        """Bring the topics to their specifications; return what was done and what cannot be done.

        Settings of a topic that the specifications do not name stay as they are.
        """
        planned = await self._planned(specs)
        async with answering("apply topics", timeout_s=_change_timeout_s):
            await self._create([change.spec for change in planned if isinstance(change, Create)])
            await self._add_partitions([c for c in planned if isinstance(c, AddPartitions)])
            await self._configure([c for c in planned if isinstance(c, Configure)])
            await self._until_visible(specs)
        refused = any(isinstance(change, Refuse) for change in planned)
        return TopicChanges(tuple(map(describe_change, planned)), settled=not refused)

    async def lag(self, group: str, topics: Collection[str]) -> Mapping[TopicPartition, Lag]:
        """Return how far a group is in each partition of these topics."""
        bounds = await self.log_bounds(topics)
        positions = await self._cluster.committed(group, bounds)
        committed = of_these_logs(positions, await self._cluster.topic_ids(topics))
        return {
            source: Lag(position.offset if position else None, *bounds[source])
            for source, position in committed.items()
        }

    async def member_count(self, group: str) -> int:
        """Return how many members a group has; 0 for a group that the brokers do not know."""
        return await self._cluster.member_count(group)

    async def topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """Return the id of each topic that exists, "" where the brokers have no ids."""
        return await self._cluster.topic_ids(topics)

    async def log_bounds(self, topics: Collection[str]) -> Mapping[TopicPartition, LogBounds]:
        """Return where the log of each partition of these topics begins and ends."""
        return await self._cluster.log_bounds(await self._cluster.partitions(topics))

    async def record_counts(self, topics: Collection[str]) -> dict[str, int]:
        """Return how many offsets each topic holds, those of compacted records included."""
        bounds = await self.log_bounds(topics)
        counts = Counter(dict.fromkeys(topics, 0))
        for source, (start, end) in bounds.items():
            counts[source.topic] += end - start
        return dict(counts)

    async def _planned(self, specs: Sequence[TopicSpec]) -> Sequence[Change]:
        layouts = await self._cluster.layouts([spec.name for spec in specs])
        async with answering("read settings of topics"):
            configs = await self._configs(layouts)
        states = {
            topic: TopicState(
                layout.partitions,
                layout.replication,
                {name: value for name, (value, _) in configs[topic].items()},
            )
            for topic, layout in layouts.items()
        }
        return list(changes(specs, states))

    async def _configs(
        self, topics: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, bool]]]:
        """Return for each setting of each topic its value, and whether the topic itself sets it."""
        if not topics:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        configs = {}
        for answer in await self._client.describe_configs(resources):
            for code, message, _, topic, entries in answer.resources:
                _check(topic, code, message)
                configs[topic] = {
                    name: (value or "", source == _set_on_topic)
                    for name, value, _, source, *_ in entries
                }
        return configs

    async def _create(self, specs: Collection[TopicSpec]) -> None:
        if not specs:
            return
        answer = await self._client.create_topics(
            [
                NewTopic(
                    spec.name, spec.partitions, spec.replication, topic_configs=wanted_configs(spec)
                )
                for spec in specs
            ]
        )
        for topic, code, message in answer.topic_errors:
            if errors.for_code(code) is not errors.TopicAlreadyExistsError:  # made at the same time
                _check(topic, code, message)

    async def _add_partitions(self, wanted: Collection[AddPartitions]) -> None:
        if wanted:
            await self._client.create_partitions(
                {change.topic: NewPartitions(change.wanted) for change in wanted}
            )

    async def _configure(self, wanted: Collection[Configure]) -> None:
        """Set what differs. The request replaces all settings, so it repeats the unchanged ones."""
        if not wanted:
            return
        present = await self._configs([change.topic for change in wanted])
        resources = []
        for change in wanted:
            own = {name: value for name, (value, own) in present[change.topic].items() if own}
            merged = {**own, **change.wanted}
            resources.append(ConfigResource(ConfigResourceType.TOPIC, change.topic, merged))
        for answer in await self._client.alter_configs(resources):
            for code, message, _, topic in answer.resources:
                _check(topic, code, message)

    async def _until_visible(self, specs: Sequence[TopicSpec]) -> None:
        """Wait until the brokers report the change to clients."""
        while True:
            planned = await self._planned(specs)
            if all(isinstance(change, Refuse) for change in planned):
                return
            await asyncio.sleep(_visible_interval_s)


def _check(topic: str, code: int, message: str | None) -> None:
    kind = errors.for_code(code)
    if kind is not errors.NoError:
        raise kind(f"{topic}: {message}")
