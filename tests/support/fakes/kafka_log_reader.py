"""The reader without a group of the fake Kafka."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.ports import LogBounds, TopicLog
from runtime.values import Delivery, TopicPartition

if TYPE_CHECKING:
    from tests.support.fakes.kafka import FakeBroker


class FakeLogReader:
    """`runtime.ports.LogReader` on the fake. It sees at once what happens to the topic."""

    def __init__(self, broker: "FakeBroker", topic: str) -> None:
        self.unreadable_count = 0
        self._broker = broker
        self._topic = topic
        self._positions: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        self._broker.answer()
        sources = self._broker.partitions([self._topic])
        if not sources:
            raise ConfigurationError(f"topics that do not exist: {self._topic}")
        logs = {source: self._broker.logs[source] for source in sources}
        bounds = {source: LogBounds(log.start, log.end) for source, log in logs.items()}
        self._log = TopicLog(self._broker.topic_ids[self._topic], bounds)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def log(self) -> TopicLog:
        return self._log

    def begin(self, positions: Mapping[TopicPartition, int]) -> None:
        self._positions = dict(positions)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        clock = self._broker.clock
        until_s = clock.monotonic_s() + timeout_s
        while True:
            self._broker.answer()
            self._refuse_another_log()
            if taken := self._take(max_records):
                return taken
            if (left_s := until_s - clock.monotonic_s()) <= 0:
                return ()
            await self._broker.wait(left_s)

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        return self._positions

    @property
    def ends(self) -> Mapping[TopicPartition, int]:
        present = self._broker.logs
        return {source: present[source].end for source in self._positions if source in present}

    def _refuse_another_log(self) -> None:
        topic_id = self._broker.topic_ids.get(self._topic)
        if topic_id is None:
            raise TransientError(f"{self._topic} was deleted")
        if topic_id != self._log.topic_id:
            raise FencedError(f"{self._topic} was recreated")
        if len(self._broker.partitions([self._topic])) != len(self._positions):
            raise TransientError(f"{self._topic} has more partitions")
        for source, position in self._positions.items():
            if not self._broker.logs[source].start <= position <= self._broker.logs[source].end:
                raise FencedError(f"{source} does not hold {position}")

    def _take(self, max_records: int) -> list[Delivery]:
        rng, taken = self._broker.rng, list[Delivery]()
        sources = sorted(self._positions)
        rng.shuffle(sources)
        for source in sources:
            if room := max_records - len(taken):
                taken += self._read(source, rng.randint(1, room))
        return taken

    def _read(self, source: TopicPartition, count: int) -> list[Delivery]:
        """Read some records; where none are left, a gap up to the end is passed."""
        log, position = self._broker.logs[source], self._positions[source]
        first = bisect_left(log.records, position, key=lambda delivery: delivery.offset)
        records = log.records[first : first + count]
        self._positions[source] = records[-1].offset + 1 if records else log.end
        return records
