"""Reads the limits of each topic from its brokers, when a topic is first used and at intervals.

The producer cuts batches by them, so that a topic's own limit does not refuse whole batches, and
names the setting when a record is refused. The limits never refuse a record here: the broker
decides, because an operator may have raised a limit a moment ago. Where the user may not ask (no
DescribeConfigs), the limits are unknown, and only the name of the setting is missing.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Final, NamedTuple

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DescribeConfigsRequest

_request_timeout_s: Final = 2.0
_retry_interval_s: Final = 1.0
_refresh_interval_s: Final = 30.0
"""A changed limit is known after this long."""

_topic_resource: Final = 2
_where: Final[Mapping[int, str]] = {
    1: "set on the topic",
    2: "set on a broker",
    3: "set for all brokers",
    4: "in the brokers' server.properties",
    5: "Kafka's default",
}
# Source of these numbers: Kafka protocol guide, DescribeConfigs, resource_type and config_source.

_message_too_large: Final = 10
_record_list_too_large: Final = 18
_invalid_timestamp: Final = 32
_invalid_record: Final = 87


class TopicLimit(StrEnum):
    """The topic's setting that a refused record exceeds; a label of metrics."""

    MESSAGE_BYTES = "max.message.bytes"
    SEGMENT_BYTES = "segment.bytes"
    TIMESTAMP = "message.timestamp"
    DECOMPRESSED_BYTES = "max.decompressed.message.bytes"
    OTHER = "other"
    """The broker does not say: a compacted topic and no key, or a check of the cluster's own."""


_before: Final = "message.timestamp.before.max.ms"
_after: Final = "message.timestamp.after.max.ms"

_settings: Final[Mapping[TopicLimit, tuple[str, ...]]] = {
    TopicLimit.MESSAGE_BYTES: (TopicLimit.MESSAGE_BYTES.value,),
    TopicLimit.SEGMENT_BYTES: (TopicLimit.SEGMENT_BYTES.value,),
    TopicLimit.TIMESTAMP: (_before, _after),
    TopicLimit.DECOMPRESSED_BYTES: (TopicLimit.DECOMPRESSED_BYTES.value,),
    TopicLimit.OTHER: ("cleanup.policy",),
}

_by_code: Final[Mapping[int, TopicLimit]] = {
    _message_too_large: TopicLimit.MESSAGE_BYTES,
    _record_list_too_large: TopicLimit.SEGMENT_BYTES,
    _invalid_timestamp: TopicLimit.TIMESTAMP,
}


class Setting(NamedTuple):
    """The value in force, and the name of its setting; a broker's setting has another name.

    ``source`` is config_source of the protocol.
    """

    name: str
    value: str
    source: int

    def __str__(self) -> str:
        return f"{self.name} is {self.value} ({_where.get(self.source, 'source unknown')})"


class TopicLimits:
    """The known limits of one producer's topics."""

    def __init__(self) -> None:
        self._of: dict[str, Mapping[str, Setting]] = {}
        self._topics: set[str] = set()
        self._met = asyncio.Event()

    def knows(self, topic: str) -> bool:
        """Return whether a broker has answered for a topic, even with a refusal."""
        return topic in self._of

    async def follow(self, client: AIOKafkaClient) -> None:
        """Query for ever: at once for a new topic, at intervals for all."""
        while True:
            self._met.clear()
            unknown = {topic for topic in self._topics if not self.knows(topic)}
            await self._ask(client, unknown or self._topics)
            settled = all(map(self.knows, self._topics))
            with suppress(TimeoutError):
                async with asyncio.timeout(_refresh_interval_s if settled else _retry_interval_s):
                    await self._met.wait()

    async def _ask(self, client: AIOKafkaClient, topics: Collection[str]) -> None:
        """Ask any broker. Without an answer, or after a refusal, the known limits stay."""
        if not topics:
            return
        names = sorted({name for names in _settings.values() for name in names})
        request = DescribeConfigsRequest(
            [(_topic_resource, topic, names) for topic in topics], include_synonyms=True
        )
        with suppress(TimeoutError, errors.KafkaError):
            async with asyncio.timeout(_request_timeout_s):
                answer = await client.send(client.get_random_node(), request)
            for code, _, _, topic, entries in answer.resources:
                self._of.setdefault(topic, {})
                if errors.for_code(code) is errors.NoError:
                    self._of[topic] = {name: _setting(name, *rest) for name, *rest in entries}

    def max_batch_bytes(self, topic: str, otherwise: int) -> int:
        """Return the size limit of a batch of this topic, at most ``otherwise``."""
        if topic not in self._topics:
            self._topics.add(topic)
            self._met.set()
        setting = self._of.get(topic, {}).get(TopicLimit.MESSAGE_BYTES.value)
        if setting is None or not setting.value.isdecimal():
            return otherwise
        return min(otherwise, int(setting.value))

    def exceeded(self, topic: str, code: int, *, record_bytes: int) -> TopicLimit:
        """Return the limit that a record of this size exceeds, given the code of its refusal."""
        if code != _invalid_record:
            return _by_code.get(code, TopicLimit.OTHER)
        known = self._of.get(topic, {}).get(TopicLimit.DECOMPRESSED_BYTES.value)
        if known is not None and known.value.isdecimal() and record_bytes > int(known.value):
            return TopicLimit.DECOMPRESSED_BYTES
        return TopicLimit.OTHER

    def describe(self, topic: str, limit: TopicLimit) -> str:
        """Return the settings behind a limit and where they are set, as text."""
        known = self._of.get(topic, {})
        settings = [known[name] for name in _settings[limit] if name in known]
        return "; ".join(map(str, settings)) or f"{' and '.join(_settings[limit])}: value unknown"


def _setting(
    name: str,
    value: str | None,
    read_only: object,  # noqa: ARG001 - as the protocol has them
    source: int,
    sensitive: object,  # noqa: ARG001 - as above
    synonyms: Collection[tuple[str, str | None, int]],
) -> Setting:
    """Return the setting in force: the first synonym of that source. Names differ by source."""
    for own_name, _, own_source in synonyms:
        if own_source == source:
            return Setting(own_name, value or "", source)
    return Setting(name, value or "", source)
