"""Pure: the contracts between the runtime and its handlers, sinks, pollers and lookups."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from runtime.values import (
    Assignment,
    Batch,
    BatchLimits,
    Deferred,
    Delivery,
    Feed,
    Fetched,
    Record,
    Rejection,
    Resume,
    TopicPartition,
)

Settled = Callable[[Exception | None], None]
"""Told of the fate of one record, once: None where all in-sync replicas have it."""

Prepared = TypeVar("Prepared")
Key_contra = TypeVar("Key_contra", contravariant=True)
Value_co = TypeVar("Value_co", covariant=True)


class Handler(Protocol):
    """Record in, records out.

    The runtime calls it in order within a key and concurrently across keys, produces what it
    returns, and only then counts the delivery as done. It may be called again with the same
    delivery, after a crash or a rebalance. A handler has no effect but lookups.

    One that answers `Deferred` is called again, out of the order of the key: what came after the
    delivery has been handled by then. It must bear that, for instance by revisions.
    """

    async def __call__(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        """Return the records that follow from the delivery; none is an answer.

        Raises:
            TransientError: nobody knows yet; the runtime tries again.
            RejectedError: this record can never be handled; it becomes a dead letter.
            KeyRejectedError: as well, and so do later ones of its key.
        """
        ...


class Sink(Protocol[Prepared]):
    """Record in, store out. An async context manager; the runtime enters and leaves it.

    It may be entered again after entering has raised. ``Prepared`` is what the sink makes of a
    batch before it writes it, rows for instance.

    Each batch is prepared, then written with what `prepare` returned. While one batch is written
    the next one is prepared; there is one call of `write` or `assigned` at a time, and one of
    `prepare`. ``write`` may see deliveries again. The runtime commits positions only up to the end
    of spans that the sink has stored.
    """

    @property
    def planned(self) -> bool:
        """Whether batches must keep their boundaries across a crash.

        True asks the runtime to commit the boundaries of each batch before it calls `write`, and
        to present a batch that may have been written in part with the same boundaries again.
        """
        ...

    @property
    def limits(self) -> BatchLimits | None:
        """When the sink wants to store what is collected, and of which partitions.

        None leaves it to the worker's settings. A batch may exceed the limits by one poll, and
        falls short of them at a stop.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        """Take over these partitions and return where to start reading each.

        Called with all partitions now owned on every assignment, before anything is read. A sink
        that keeps no offsets returns what was committed, or the start of the log. A plan that the
        group has committed goes before what the sink returns.

        Raises:
            TransientError: the store does not answer; the runtime calls again.
            ConfigurationError: the stored offsets do not belong to this log.
        """
        ...

    async def prepare(self, batch: Batch) -> Prepared:
        """Return what `write` needs of a batch, with no effect on the store and without asking it.

        `write` may be running meanwhile. What is returned belongs to the runtime: it may be given
        to several calls of `write`, or to none where the batch is given up. An error is a defect of
        the sink; a record that cannot be stored is for `write` to reject.
        """
        ...

    async def write(self, batch: Batch, prepared: Prepared) -> Sequence[Rejection]:
        """Store a whole batch, of which ``prepared`` was made.

        Returning nothing: all of it is stored. Returning rejections: none of it is stored, and
        these deliveries are why; the runtime sets them aside, prepares the rest and calls again
        with the same spans. Raising: nobody knows; the runtime calls again with the same batch.

        Raises:
            TransientError: the store does not answer.
            FencedError: another owner has the partitions now.
            ConfigurationError: the store is not set up as this sink needs it.
        """
        ...


class Poller(Protocol):
    """Another system's pages in, records out.

    What the runtime guarantees:

    - One member of the group is active; the others stand by. It fetches one page of a feed at a
      time, and pages of different feeds concurrently.
    - The records of a page and the watermark that follows it are committed in one transaction, in
      the page's order. So a watermark is never ahead of the records before it.
    - `fetch` gets the last watermark that was committed, by whichever member. A member publishes
      nothing after another has become active.
    - A feed whose fetch fails waits longer after each failure; the others go on.
    - It holds no more records than the worker's bound; one page fits in any case.

    What the runtime asks:

    - ``fetch`` may be called again with the same watermark, after a crash or a change of the active
      member, and may be cancelled at any await. It has no effect on the other system.
    - Records have ids of their own. A reader that does not keep to committed records sees those of
      an aborted page, and then once more.
    """

    @property
    def feeds(self) -> Sequence[Feed]:
        """What it follows: a few, with different names, always the same ones of a process.

        A name stays with what it stands for: it is the key of the stored watermark.
        """
        ...

    @property
    def page_records(self) -> int:
        """How many records a page has at most; at least 1."""
        ...

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        """Return from when on the next page is due, None where the feed has come to its end.

        A watermark of None: nothing was ever committed. It is called often, answers at once, and
        what is due stays due until it is fetched. It raises nothing.
        """
        ...

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        """Return the page that follows the watermark; its records may be none.

        With a watermark that has not moved, the runtime waits a while before it asks again.

        Raises:
            TransientError: the other side does not answer, or is not to be asked now.
            RejectedError: this page can never be fetched; counted, the feed waits for a person.
            ConfigurationError: nothing can be fetched until a person acts; the worker halts, and
                looks again now and then.
        """
        ...


class Lookup(Protocol[Key_contra, Value_co]):
    """A question to another system."""

    async def get(self, key: Key_contra) -> Value_co | None:
        """Return the value, or None where it does not exist.

        Raises:
            TransientError: nobody knows.
        """
        ...


class Publisher(Protocol):
    """Where records go."""

    @property
    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged."""
        ...

    async def publish(self, record: Record) -> None:
        """Return once all in-sync replicas have the record.

        Cancelling gives up waiting; the record may still arrive.

        Raises:
            TransientError: not acknowledged; it may or may not have been stored.
            RejectedError: the broker will never take it (too large).
        """
        ...


class Sender(Publisher, Protocol):
    """A publisher that can be asked without waiting, for those who have no task per record."""

    def send(self, record: Record, settled: Settled) -> None:
        """Publish; ``settled`` is told of the end, later, with an error as `publish` raises it.

        It must not raise. Nothing limits the time until it is told.

        Raises:
            TransientError: nothing was sent, and ``settled`` will not be told.
        """
        ...
