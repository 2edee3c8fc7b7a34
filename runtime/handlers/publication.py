"""The results of one handled record on their way to the broker, one after the other.

A result is sent once the one before is acknowledged, so that a reader sees them in the handler's
order even where one has to be sent again. No task waits meanwhile: the sender calls back. So its
batches are as large as the records in flight allow, whatever the number of runners.
"""

from collections.abc import Callable, Sequence

from runtime.contracts import Sender
from runtime.values import Delivery, Record


class Publication:
    """The results of one record, at least one.

    ``read`` is the record as polled, ``delivery`` the same as first read. ``on_outcome`` is called
    after the outcome of each `send`, and decides what comes next. ``error`` is the last outcome,
    None for an acknowledgement.
    """

    __slots__ = ("_acknowledged", "_on_outcome", "_records", "_sender", "delivery", "error", "read")

    def __init__(
        self,
        read: Delivery,
        delivery: Delivery,
        records: Sequence[Record],
        *,
        sender: Sender,
        on_outcome: "OnOutcome",
    ) -> None:
        self.read = read
        self.delivery = delivery
        self.error: Exception | None = None
        self._records = records
        self._acknowledged = 0
        self._sender = sender
        self._on_outcome = on_outcome

    @property
    def count(self) -> int:
        """How many results there are."""
        return len(self._records)

    @property
    def left(self) -> Sequence[Record]:
        """The results without an acknowledgement, in their order."""
        return self._records[self._acknowledged :]

    @property
    def is_acknowledged(self) -> bool:
        """Whether all of them are."""
        return self._acknowledged == len(self._records)

    def send(self) -> None:
        """Send the first result that is left; an outcome at once means that it was not sent."""
        try:
            self._sender.send(self._records[self._acknowledged], self._settled)
        except Exception as error:  # noqa: BLE001 - an outcome too; a result may be no valid record
            self._settled(error)

    def _settled(self, error: Exception | None) -> None:
        if error is None:
            self._acknowledged += 1
        self.error = error
        self._on_outcome(self)


OnOutcome = Callable[[Publication], None]
