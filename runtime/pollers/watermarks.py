"""Pure: the watermarks of a poller, as a fold over the records of its compacted topic.

A member that becomes active writes a claim first: the next generation. Each watermark names the
generation of its writer. Kafka fences a writer by its transactional id; this fold is the second
lock, and shows that the first one held.

Invariants:

1. The generation never falls; that of `claim` is above all that were read.
2. A record has no effect and is counted if an earlier record has a higher generation.
3. The watermark of a feed is that of its last record that was not fenced; a tombstone removes it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from runtime.errors import ConfigurationError
from runtime.values import Delivery, Record

_claim_key = b"active"
_feed_prefix = b"feed:"


@dataclass(frozen=True, slots=True)
class Mark:
    """A watermark, and when it was committed."""

    watermark: str
    at: datetime


class Watermarks:
    """What is known of the feeds of one poller, from the records of its topic in their order."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self.generation = 0
        self.fenced_count = 0

    def __getitem__(self, feed: str) -> Mark | None:
        """Return the last committed watermark of a feed, None where there is none."""
        return self._marks.get(feed)

    def take(self, delivery: Delivery) -> None:
        """Take the next record in.

        Raises:
            ConfigurationError: it was not written by a poller.
        """
        key = delivery.key or b""
        feed = key.removeprefix(_feed_prefix).decode(errors="replace")
        if delivery.value is None:
            self._marks.pop(feed, None)
            return
        try:
            entry = orjson.loads(delivery.value)
            generation, at = int(entry["generation"]), datetime.fromisoformat(entry["at"])
            watermark = None if key == _claim_key else str(entry["watermark"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{delivery.origin} is not a watermark ({type(error).__name__}): find out which "
                f"program writes to this topic, then produce a tombstone with the same key"
            ) from error
        if generation < self.generation:
            self.fenced_count += 1
            return
        self.generation = generation
        if watermark is not None:
            self._marks[feed] = Mark(watermark, at)

    def claim(self, topic: str, at: datetime) -> Record:
        """Return the record that begins the next generation, which is present from now on."""
        self.generation += 1
        return Record(topic, _claim_key, self._value(at), partition=0)

    def record(self, topic: str, feed: str, mark: Mark) -> Record:
        """Return the record of a watermark; call `commit` once it is acknowledged."""
        value = self._value(mark.at, watermark=mark.watermark)
        return Record(topic, _feed_prefix + feed.encode(), value, partition=0)

    def commit(self, feed: str, mark: Mark) -> None:
        """Note that a watermark is acknowledged."""
        self._marks[feed] = mark

    def _value(self, at: datetime, **members: str) -> bytes:
        stamps = {"generation": self.generation, "at": at.astimezone(UTC).isoformat()}
        return orjson.dumps({**members, **stamps})
