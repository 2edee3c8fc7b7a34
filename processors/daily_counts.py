"""Keeps the daily counts of the REST budget in Kafka, among the reference entities.

One record per seat and label, ``account_id:api_budget:<worker>/<label>/<rank>``; the topic is
compacted, so a seat has one record in the end, however often its process is replaced. Few are
written (see `zoom.allowance`), and they are read when a seat is taken: the whole topic, once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import orjson

from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.kafka import scan
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import timestamp
from schemas.topics import reference_topic
from zoom.allowance import Count, Counts
from zoom.budget import Label

_entity: Final = "api_budget"


class KafkaDailyCounts:
    """`zoom.allowance.DailyCounts` of one worker at one account."""

    def __init__(
        self,
        kafka: KafkaSettings,
        publisher: Publisher,
        *,
        account_id: str,
        worker: str,
        clock: Clock,
    ) -> None:
        self._kafka = kafka
        self._publisher = publisher
        self._topic = reference_topic(prefix=kafka.topic_prefix)
        self._account_id = account_id
        self._worker = worker
        self._clock = clock

    async def load(self, label: Label) -> Counts:
        """Return the latest count of each seat."""
        try:
            found = await self._latest(self._key(label))
        except ConfigurationError as error:  # calls go on without: see zoom.daily_budget
            raise TransientError(str(error)) from error
        return {_rank(key): _count(value) for key, value in found.items()}

    async def _latest(self, prefix: bytes) -> Mapping[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        async for delivery in scan(self._kafka, [self._topic]):
            key = delivery.key or b""
            if key.startswith(prefix) and delivery.value is not None:
                found[key.removeprefix(prefix)] = delivery.value
        return found

    async def save(self, label: Label, rank: int, count: Count) -> None:
        """Replace the count of one seat, on all in-sync replicas."""
        reference = {
            "entity": _entity,
            "account_id": self._account_id,
            "id": f"{self._worker}/{label.value}/{rank}",
            "as_of": timestamp(int(self._clock.now().timestamp() * 1000)),
            "state": count._asdict(),
        }
        key = self._key(label) + b"%d" % rank
        try:
            await self._publisher.publish(Record(self._topic, key, orjson.dumps(reference)))
        except RejectedError as error:
            raise TransientError(f"the count was not taken: {error}") from error

    def _key(self, label: Label) -> bytes:
        return f"{self._account_id}:{_entity}:{self._worker}/{label.value}/".encode()


def _rank(text: bytes) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise TransientError("a daily count has a key that is none of ours") from error


def _count(value: bytes) -> Count:
    """Read a count; one that cannot be read makes all of them unknown."""
    try:
        document = orjson.loads(value)["state"]
        return Count(
            date.fromisoformat(document["day"]),
            int(document["generation"]),
            int(document["before"]),
            int(document["used"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TransientError("a daily count cannot be read") from error
