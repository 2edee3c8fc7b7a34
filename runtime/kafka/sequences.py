"""Repairs the sequence numbers of an idempotent producer after a batch that no broker stored.

The library numbers a batch when it sends it, and never takes the numbers back. The numbers of a
refused batch would be missing, and the broker refuses everything after a gap.
"""

from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.transaction_manager import TransactionManager

from runtime.values import TopicPartition

_sent_once: Final = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that the library has taken, with the producer's ``identity`` at that time."""

    source: TopicPartition
    batch: Any  # the library has no types
    identity: object


class Sequences:
    """The sequence numbers of one producer, which has one batch in flight per partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    def sent(self, source: TopicPartition) -> Sent:
        """Note the batch that the library took last; call it before the next await.

        The partition has no other batch, so the last one is this one.
        """
        batch = self._producer._message_accumulator._batches[source][-1]  # noqa: SLF001 - it has no public name
        return Sent(source, batch, self._producer._txn_manager)  # noqa: SLF001 - as above

    def refused(self, sent: Sent) -> None:
        """Give the numbers of a refused batch to the next one.

        A batch that was sent more than once may be stored, by an attempt whose answer was lost. The
        broker would take the next batch of the same size for a duplicate, and drop it. Then the
        producer gets a new identity instead.
        """
        manager, count = self._producer._txn_manager, sent.batch.record_count  # noqa: SLF001 - as above
        is_known = sent.identity is manager and sent.batch.retry_count == _sent_once
        if is_known and manager.sequence_number(sent.source) >= count:
            manager.increment_sequence_number(sent.source, -count)
        else:
            self.renew()

    def renew(self) -> None:
        """Have the library request a new identity before it numbers the next batch.

        Batches in flight keep the old identity, which the brokers still accept. The library mutes
        their partitions until they are settled, so the order is kept.
        """
        producer = self._producer
        fresh = TransactionManager(None, producer._txn_manager.transaction_timeout_ms)  # noqa: SLF001 - as above
        producer._txn_manager = fresh  # noqa: SLF001 - as above
        producer._sender._txn_manager = fresh  # noqa: SLF001 - as above
        producer._message_accumulator._txn_manager = fresh  # noqa: SLF001 - as above
