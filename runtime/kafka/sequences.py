"""The sequence numbers of an idempotent producer, kept whole where a broker stored nothing.

The library numbers a batch when it sends it, and never takes the numbers back. Those of a batch
that was refused would be missing, and the broker refuses all that follows a gap.
"""

from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.transaction_manager import TransactionManager

from runtime.values import TopicPartition

_sent_once: Final = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that the library has taken; ``identity`` is the producer's at that time."""

    source: TopicPartition
    batch: Any  # the library has no types
    identity: object


class Sequences:
    """Of one producer, of which one batch at a time is under way in each partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    def sent(self, source: TopicPartition) -> Sent:
        """Note the batch that was handed to the library last; call it before anything is awaited.

        It was the only one of its partition, so it is the last.
        """
        batch = self._producer._message_accumulator._batches[source][-1]  # noqa: SLF001 - told nowhere else
        return Sent(source, batch, self._producer._txn_manager)  # noqa: SLF001 - as above

    def refused(self, sent: Sent) -> None:
        """Have the next batch take the numbers of one that was refused.

        One that was sent more than once may be stored, by an attempt whose answer was lost. The
        broker would take the next of as many records for the same, and drop it: then the producer
        gets a new identity.
        """
        manager, count = self._producer._txn_manager, sent.batch.record_count  # noqa: SLF001 - as above
        is_known = sent.identity is manager and sent.batch.retry_count == _sent_once
        if is_known and manager.sequence_number(sent.source) >= count:
            manager.increment_sequence_number(sent.source, -count)
        else:
            self.renew()

    def renew(self) -> None:
        """Have the library ask for a new identity, before it numbers the next batch.

        What is under way keeps the old one, which the brokers accept still. The library mutes its
        partition until it is settled, so the order is kept.
        """
        producer = self._producer
        fresh = TransactionManager(None, producer._txn_manager.transaction_timeout_ms)  # noqa: SLF001 - as above
        producer._txn_manager = fresh  # noqa: SLF001 - as above
        producer._sender._txn_manager = fresh  # noqa: SLF001 - as above
        producer._message_accumulator._txn_manager = fresh  # noqa: SLF001 - as above
