"""Stores the daily counts of the REST budget in Kafka, among the reference entities.

One record per rank and label, ``account_id:api_budget:<worker>/<label>/<rank>``. The topic is
compacted, so a rank has one record in the end, however often its process is replaced. Few are
written (see `zoom.rate_limits.daily_share`), and they are read when a share is assigned: the whole
topic, once.

Processes without a group, such as commands, all have the same rank and would overwrite each other's
records: one would lose what the other added after it had read. So each of them writes a record of
its own, ``.../<rank>-<writer>``, and counts the others' as used elsewhere; the sum of all is the
use. A reader deletes records of the days before yesterday.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, timedelta
from itertools import islice
from typing import Final

import orjson

from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.kafka import read_all
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import timestamp
from schemas.topics import reference_topic
from zoom.limits import Label
from zoom.rate_limits.daily_share import Count, Counts

_entity: Final = "api_budget"

_slot_pattern: Final = re.compile(rb"([0-9]{1,9})(-[0-9a-z]+)?")
_of_others: Final = -1
"""No share has this generation, so such a count is entirely used by others."""

_retention_days: Final = timedelta(days=1)
"""A process that runs over midnight may still write yesterday's count."""
_deleted_at_once: Final = 200


class KafkaDailyCounts:
    """`zoom.rate_limits.daily_share.DailyCounts` of one worker at one account.

    ``writer``, in lower-case letters and digits, distinguishes processes of the same rank; it is
    empty where a group assigns the ranks.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        publisher: Publisher,
        *,
        account_id: str,
        worker: str,
        clock: Clock,
        writer: str = "",
    ) -> None:
        self._writer = f"-{writer}".encode() if writer else b""
        self._kafka = kafka
        self._publisher = publisher
        self._topic = reference_topic(prefix=kafka.topic_prefix)
        self._account_id = account_id
        self._worker = worker
        self._clock = clock

    async def load(self, label: Label) -> Counts:
        """Return the latest count of each rank, with a rank of its own for each writer."""
        prefix = self._key(label)
        try:
            values = await self._latest(prefix)
        except (
            ConfigurationError
        ) as error:  # calls continue without counts: see zoom.rate_limits.daily_quota
            raise TransientError(str(error)) from error
        counts: dict[int, Count] = {}
        others: list[Count] = []
        for key, value in values.items():
            rank, writer = _parse_slot(key)
            if writer == self._writer:
                counts[rank] = _count(value)
            else:
                others.append(_count(value)._replace(generation=_of_others))
        if self._writer:
            await self._delete_old(prefix, values)
        free = max(counts, default=0) + 1
        return counts | dict(enumerate(others, start=free))

    async def _delete_old(self, prefix: bytes, values: Mapping[bytes, bytes]) -> None:
        until = self._clock.now().astimezone(UTC).date() - _retention_days
        old = (key for key, value in values.items() if _count(value).day < until)
        with suppress(TransientError, RejectedError):  # the next reader deletes them
            await asyncio.gather(
                *(
                    self._publisher.publish(Record(self._topic, prefix + key, None))
                    for key in islice(old, _deleted_at_once)
                )
            )

    async def _latest(self, prefix: bytes) -> Mapping[bytes, bytes]:
        values: dict[bytes, bytes] = {}
        async for delivery in read_all(self._kafka, [self._topic]):
            key = delivery.key or b""
            if key.startswith(prefix) and delivery.value is not None:
                values[key.removeprefix(prefix)] = delivery.value
            elif key.startswith(prefix):
                values.pop(key.removeprefix(prefix), None)
        return values

    async def save(self, label: Label, rank: int, count: Count) -> None:
        """Replace the count of one rank, on all in-sync replicas."""
        slot = b"%d%b" % (rank, self._writer)
        reference = {
            "entity": _entity,
            "account_id": self._account_id,
            "id": f"{self._worker}/{label.value}/{slot.decode()}",
            "as_of": timestamp(int(self._clock.now().timestamp() * 1000)),
            "state": count._asdict(),
        }
        key = self._key(label) + slot
        try:
            await self._publisher.publish(Record(self._topic, key, orjson.dumps(reference)))
        except RejectedError as error:
            raise TransientError(f"the count was not taken: {error}") from error

    def _key(self, label: Label) -> bytes:
        return f"{self._account_id}:{_entity}:{self._worker}/{label.value}/".encode()


def _parse_slot(text: bytes) -> tuple[int, bytes]:
    """Return rank and writer."""
    match = _slot_pattern.fullmatch(text)
    if match is None:
        raise TransientError("a daily count has an unknown key")
    return int(match[1]), match[2] or b""


def _count(value: bytes) -> Count:
    """Parse a count; an unreadable one makes all of them unknown."""
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
