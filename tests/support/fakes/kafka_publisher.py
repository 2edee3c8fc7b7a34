"""The sending side of the fake Kafka."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from runtime.contracts import Settled
from runtime.errors import RejectedError, TransientError
from runtime.partitioner import partition_of
from runtime.values import Delivery, Record, TopicPartition
from schemas.reasons import DeadLetterReason

if TYPE_CHECKING:
    from tests.support.fakes.kafka import FakeBroker

slowest_acknowledgement_s = 0.005


class FakePublisher:
    """`runtime.contracts.Sender` on the fake."""

    def __init__(self, broker: "FakeBroker") -> None:
        self._broker = broker

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    @property
    def ready(self) -> bool:
        return not self._broker.down

    def send(self, record: Record, settled: Settled) -> None:
        broker = self._broker
        broker.answer()
        source = partition_for(broker, record)
        size_bytes = Delivery(*source, 0, record.key, record.value, record.headers, 0).size_bytes
        loop = asyncio.get_running_loop()
        if size_bytes > broker.record_bytes:
            what = f"{record.topic}: {size_bytes} bytes"
            loop.call_soon(settled, RejectedError(DeadLetterReason.TOO_LARGE, what))
            return
        is_lost = broker.lost_records > 0
        if is_lost:
            broker.lost_records -= 1
        else:
            broker.append(source, record)
        delay_s = broker.rng.uniform(0, slowest_acknowledgement_s)
        loop.call_later(delay_s, self._answer, settled, is_lost)

    async def publish(self, record: Record) -> None:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled(error: Exception | None) -> None:
            if acknowledged.done():
                return  # cancelled
            if error is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(error)

        self.send(record, settled)
        await acknowledged

    def _answer(self, settled: Settled, is_lost: bool) -> None:  # noqa: FBT001 - a callback's
        broker = self._broker
        if not is_lost and not broker.down and not broker.lost_acknowledgements:
            settled(None)
            return
        if not is_lost and not broker.down:
            broker.lost_acknowledgements -= 1
        settled(TransientError("not acknowledged"))


def partition_for(broker: "FakeBroker", record: Record) -> TopicPartition:
    count = len(broker.partitions([record.topic]))
    number = record.partition
    if number is None and count:
        number = (
            broker.rng.randrange(count)
            if record.key is None
            else partition_of(record.key, partitions=count)
        )
    if number is None or number >= count:
        raise TransientError(f"{record.topic} has {count} partitions")
    return TopicPartition(record.topic, number)
