"""The sending side of the fake Kafka."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from runtime.errors import RejectedError, TransientError
from runtime.partitioner import partition_of
from runtime.values import Delivery, Record, TopicPartition
from schemas.reasons import DeadLetterReason

if TYPE_CHECKING:
    from tests.support.fakes.kafka import FakeBroker

slowest_acknowledgement_s = 0.005


class FakePublisher:
    """`runtime.contracts.Publisher` on the fake."""

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

    async def publish(self, record: Record) -> None:
        broker = self._broker
        broker.answer()
        source = partition_for(broker, record)
        size_bytes = Delivery(*source, 0, record.key, record.value, record.headers, 0).size_bytes
        if size_bytes > broker.record_bytes:
            raise RejectedError(DeadLetterReason.TOO_LARGE, f"{record.topic}: {size_bytes} bytes")
        broker.append(source, record)
        await broker.clock.sleep(broker.rng.uniform(0, slowest_acknowledgement_s))
        broker.answer()
        if broker.lost_acknowledgements:
            broker.lost_acknowledgements -= 1
            raise TransientError("the acknowledgement was lost")


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
