"""Requests to the brokers that the library's clients do not send, or do not send safely.

Three answers of the library are not reliable. A coordinator that is still loading after a restart
reports the error for the whole answer; the library looks only at each partition and concludes that
nothing is committed. An expelled member commits like a reader without a group, which the
coordinator of an empty group accepts. An offset comes without its metadata. So this module fetches
and commits offsets with its own requests, which name generation and member.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple, Self, TypeVar

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.offset import OffsetRequest

from runtime.errors import ConfigurationError
from runtime.kafka.connection import answering, connecting, connection_options, know_brokers
from runtime.kafka.requests import (
    DescribeConsumerGroupRequest,
    StaticHeartbeatRequest,
    TopicsRequest,
)
from runtime.ports import LogBounds, Position
from runtime.settings import KafkaSettings
from runtime.values import TopicPartition

_retry_s: Final = 0.1
_request_timeout_ms: Final = 2_500
"""Half of the time limit of an answer, so that a hanging broker leaves time to ask another one."""

_read_committed: Final = 1
_latest: Final = -1
_earliest: Final = -2
_no_offset: Final = -1
_retention_of_broker: Final = -1
_fenced_instance_id: Final = 82
_consumer_protocol: Final = 1
_group_authorization_failed, _group_id_not_found = 30, 69
_not_described: Final = (_group_authorization_failed, _group_id_not_found)
# Source of these numbers: Kafka protocol guide, requests and error codes.

Answer = TypeVar("Answer")


class Membership(NamedTuple):
    """The identity under which a member of a group commits."""

    generation: int
    member_id: str


class Layout(NamedTuple):
    """The partitions and replicas of a topic. ``replication`` is the least of its partitions.

    ``topic_id`` is in the form of Kafka's tools, "" where the brokers have no ids (before 2.8).
    """

    partitions: int
    replication: int
    topic_id: str


class Cluster:
    """A separate connection to the brokers. An async context manager.

    All methods raise TransientError where the brokers do not answer in time, ConfigurationError
    where they refuse for good.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._topics: set[str] = set()
        self._coordinators: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._client = AIOKafkaClient(
            **connection_options(self._settings),
            client_id=self._client_id,
            request_timeout_ms=_request_timeout_ms,
        )
        try:
            async with connecting(self._settings):
                await self._client.bootstrap()
                await know_brokers(self._client)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        async with answering("close the connection"):
            await self._client.close()

    async def cluster_id(self) -> str:
        """Return the id that the cluster was created with."""
        metadata = await self._retry("cluster id", lambda: self._ask_any(TopicsRequest([])))
        return str(metadata.cluster_id)

    async def layouts(self, topics: Collection[str]) -> Mapping[str, Layout]:
        """Return the layouts of those of these topics that exist.

        The request does not create topics.
        """
        return await self._retry("topics", lambda: self._layouts(topics))

    async def partition_counts(self, topics: Collection[str]) -> Mapping[str, int]:
        """Return how many partitions each of these topics has; see `layouts`."""
        return {topic: layout.partitions for topic, layout in (await self.layouts(topics)).items()}

    async def topic_ids(
        self, topics: Collection[str], *, brokers: Collection[int] = ()
    ) -> Mapping[str, str]:
        """Return the id of each of these topics, "" where the brokers have no ids (before 2.8).

        Asks each of ``brokers``, or any broker where none is named. Topics that do not exist are
        left out. A broker that has served a record of a topic knows the topic's id.

        Raises:
            TransientError: the brokers do not agree.
        """
        return await self._retry("topic ids", lambda: self._topic_ids(topics, brokers))

    async def partitions(self, topics: Collection[str]) -> Collection[TopicPartition]:
        """Return all partitions of these topics.

        Raises:
            ConfigurationError: one of them does not exist.
        """
        counts = await self.partition_counts(topics)
        refuse_missing(set(topics) - set(counts))
        return [
            TopicPartition(topic, number)
            for topic, count in counts.items()
            for number in range(count)
        ]

    async def log_bounds(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, LogBounds]:
        """Return the bounds of each partition's log for a reader of committed data."""
        starts = await self._retry("log starts", lambda: self._offsets(partitions, _earliest))
        ends = await self.log_ends(partitions)
        return {source: LogBounds(starts[source], ends[source]) for source in partitions}

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the offset after the last readable record of each."""
        return await self._retry("log ends", lambda: self._offsets(partitions, _latest))

    async def committed(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        """Return the group's commits as its coordinator has them now."""
        return await self._retry("committed", lambda: self._committed(group, partitions))

    async def commit(
        self, group: str, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Commit as this member of this generation and no other.

        Raises:
            FencedError: the group has moved on.
        """
        await self._retry("commit", lambda: self._commit(group, positions, membership))

    async def is_replaced(self, group: str, membership: Membership, *, instance_id: str) -> bool:
        """Return whether another member has taken over this one's static id."""
        request = StaticHeartbeatRequest(group, *membership, instance_id=instance_id)
        answer = await self._retry(
            "static membership", lambda: self._ask_coordinator(group, request)
        )
        return bool(answer.error_code == _fenced_instance_id)

    async def foreign_members(self, group: str) -> Collection[str]:
        """Return the client ids and hosts of members by the consumer protocol (KIP-848).

        Empty where the brokers do not say (before 4.0, or the login may not describe the group).
        """
        return await self._retry("members by protocol", lambda: self._foreign_members(group))

    async def member_count(self, group: str) -> int:
        """Return how many members the group has; 0 for a group that the brokers do not know."""
        return await self._retry("members", lambda: self._member_count(group))

    async def _retry(self, what: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask again, after a refresh of the metadata, while the answer is "not now" or "not me"."""
        async with answering(what):
            while True:
                try:
                    return await ask()
                except errors.KafkaError as error:
                    if not error.retriable:
                        raise
                self._coordinators.clear()
                await self._client.force_metadata_update()
                await asyncio.sleep(_retry_s)

    async def _ask_any(self, request: object) -> Any:  # noqa: ANN401 - the library has no types
        return await self._client.send(self._client.get_random_node(), request)

    async def _layouts(self, topics: Collection[str]) -> dict[str, Layout]:
        return _layouts_in(await self._ask_any(TopicsRequest(sorted(topics))))

    async def _topic_ids(self, topics: Collection[str], brokers: Collection[int]) -> dict[str, str]:
        ids: dict[str, str] = {}
        for broker in brokers or [self._client.get_random_node()]:
            answer = await self._client.send(broker, TopicsRequest(sorted(topics)))
            for topic, layout in _layouts_in(answer).items():
                if ids.setdefault(topic, layout.topic_id) != layout.topic_id:
                    raise errors.UnknownTopicOrPartitionError(f"{topic} is being recreated")
        return ids

    async def _offsets(
        self, partitions: Collection[TopicPartition], moment: int
    ) -> dict[TopicPartition, int]:
        offset_of = {}
        for node, led in (await self._by_leader(partitions)).items():
            topics = [
                (topic, [(number, moment) for number in numbers])
                for topic, numbers in _by_topic(led).items()
            ]
            answer = await self._client.send(node, OffsetRequest(-1, _read_committed, topics))
            for topic, offsets in answer.topics:
                for number, code, _, offset in offsets:
                    _check(code, f"{topic}/{number}")
                    offset_of[TopicPartition(topic, number)] = offset
        return offset_of

    async def _by_leader(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[int, Collection[TopicPartition]]:
        topics = {source.topic for source in partitions}
        if not topics <= self._topics:
            self._topics |= topics
            await self._client.set_topics(self._topics)
        led = defaultdict(list)
        for source in partitions:
            leader = self._client.cluster.leader_for_partition(source)
            if leader is None or leader < 0:
                raise errors.LeaderNotAvailableError(f"{source.topic}/{source.partition}")
            led[leader].append(source)
        return led

    async def _committed(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Position | None]:
        topics = list(_by_topic(partitions).items())
        answer = await self._ask_coordinator(group, OffsetFetchRequest(group, topics))
        _check(getattr(answer, "error_code", 0), group)  # before version 2 by partition alone
        positions: dict[TopicPartition, Position | None] = dict.fromkeys(partitions)
        for topic, offsets in answer.topics:
            for number, offset, metadata, code in offsets:
                _check(code, f"{topic}/{number}")
                if offset != _no_offset:
                    positions[TopicPartition(topic, number)] = Position(offset, metadata or "")
        return positions

    async def _commit(
        self, group: str, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        topics = [
            (topic, [(number, *positions[TopicPartition(topic, number)]) for number in numbers])
            for topic, numbers in _by_topic(positions).items()
        ]
        request = OffsetCommitRequest(
            group, membership.generation, membership.member_id, _retention_of_broker, topics
        )
        answer = await self._ask_coordinator(group, request)
        for topic, results in answer.topics:
            for number, code in results:
                _check(code, f"{topic}/{number}")

    async def _member_count(self, group: str) -> int:
        request = DescribeGroupsRequest([group], include_authorized_operations=False)
        ((code, _, _, _, _, members, *_),) = (await self._ask_coordinator(group, request)).groups
        _check(code, group)
        return len(members)

    async def _foreign_members(self, group: str) -> Collection[str]:
        try:
            answer = await self._ask_coordinator(group, DescribeConsumerGroupRequest(group))
        except (errors.IncompatibleBrokerVersion, NotImplementedError):
            return ()
        (safe_error_text,) = answer.to_object()["groups"]
        if safe_error_text["error_code"] in _not_described:
            return ()
        _check(safe_error_text["error_code"], group)
        return [
            f"{member['client_id']} at {member['client_host']}"
            for member in safe_error_text["members"]
            if member["member_type"] == _consumer_protocol
        ]

    async def _ask_coordinator(self, group: str, request: object) -> Any:  # noqa: ANN401 - as above
        if group not in self._coordinators:
            node = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
            self._coordinators[group] = node
        return await self._client.send(self._coordinators[group], request)


def refuse_missing(topics: Iterable[str]) -> None:
    """Refuse topics that do not exist.

    Raises:
        ConfigurationError: there is one.
    """
    missing = ", ".join(sorted(topics))
    if missing:
        raise ConfigurationError(
            f"topics that do not exist: {missing}; create them with `zcc topics apply`, "
            f"or check ZCC_KAFKA_TOPIC_PREFIX"
        )


def _layouts_in(answer: Any) -> dict[str, Layout]:  # noqa: ANN401 - as above
    layouts = {}
    for topic in answer.to_object()["topics"]:
        if errors.for_code(topic["error_code"]) is errors.UnknownTopicOrPartitionError:
            continue
        _check(topic["error_code"], topic["topic"])
        copies = min(len(partition["replicas"]) for partition in topic["partitions"])
        layouts[topic["topic"]] = Layout(
            len(topic["partitions"]), copies, topic.get("topic_id", "")
        )
    return layouts


def _by_topic(partitions: Iterable[TopicPartition]) -> Mapping[str, list[int]]:
    topics = defaultdict(list)
    for topic, number in partitions:
        topics[topic].append(number)
    return topics


def _check(code: int, subject: str) -> None:
    kind = errors.for_code(code)
    if kind is not errors.NoError:
        raise kind(subject)
