"""Transactions of the fake Kafka."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from runtime.errors import FencedError, RejectedError, TransientError
from runtime.ports import TransactionalPublisher
from runtime.values import Delivery, Record, TopicPartition
from schemas.reasons import DeadLetterReason
from tests.support.fakes.kafka_publisher import partition_for

if TYPE_CHECKING:
    from tests.support.fakes.kafka import FakeBroker

slowest_step_s = 0.02


class FakeTransactions(TransactionalPublisher):
    """`runtime.ports.TransactionalPublisher` on the fake. An async context manager.

    What was aborted uses up offsets, as do the markers.
    """

    def __init__(self, broker: "FakeBroker", transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = 0
        self._usable = True

    async def __aenter__(self) -> Self:
        await self.take_time()
        self.fence()
        await self.take_time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def publish(self, records: Sequence[Record]) -> None:
        if not records:
            return
        if not self._usable:
            raise AssertionError("it failed before and was to be left")
        self._usable = False
        broker = self._broker
        sources = [partition_for(broker, record) for record in records]
        for source, record in zip(sources, records, strict=True):
            self._refuse_large(source, record)
        await self.take_time()
        self.refuse_fenced()
        if broker.rng.random() < 0.5:  # sent in part, then left open for a while
            for source in dict.fromkeys(sources):
                broker.leave_gap(source)
        await self.take_time()
        self.refuse_fenced()
        self.store(list(zip(sources, records, strict=True)))
        await self.take_time()
        if broker.lost_acknowledgements:
            broker.lost_acknowledgements -= 1
            raise TransientError("the acknowledgement was lost")
        self._usable = True

    def fence(self) -> None:
        self._epoch = self._broker.epochs[self._id] = self._broker.epochs[self._id] + 1

    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        for source, record in placed:
            self._broker.append(source, record)
        for source in dict.fromkeys(source for source, _ in placed):
            self._broker.leave_gap(source)

    def refuse_fenced(self) -> None:
        if self._broker.epochs[self._id] != self._epoch:
            raise FencedError(f"publish: another has entered with {self._id}")

    def _refuse_large(self, source: TopicPartition, record: Record) -> None:
        size_bytes = Delivery(*source, 0, record.key, record.value, record.headers, 0).size_bytes
        if size_bytes > self._broker.record_bytes:
            raise RejectedError(DeadLetterReason.TOO_LARGE, f"{record.topic}: {size_bytes} bytes")

    async def take_time(self) -> None:
        self._broker.answer()
        await self._broker.clock.sleep(self._broker.rng.uniform(0, slowest_step_s))
        self._broker.answer()
