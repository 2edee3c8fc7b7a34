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
"""Called once with the result of one record: None where all in-sync replicas have it."""

Prepared = TypeVar("Prepared")
Key_contra = TypeVar("Key_contra", contravariant=True)
Value_co = TypeVar("Value_co", covariant=True)


class Handler(Protocol):
    """Record in, records out.

    The runtime calls it in order within a key and concurrently across keys, produces what it
    returns, and only then counts the delivery as done. Until then it calls it with no other
    delivery of the key, and sends each record only after the one before is acknowledged. It may be
    called again with the same delivery, after a crash or a rebalance. A handler has no effect but
    lookups.

    After `Deferred` the runtime calls it again, out of the order of the key: later records of the
    key have been handled by then. Its output must allow for that, for instance by revisions.
    """

    async def __call__(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        """Return the records that follow from the delivery; none is an answer.

        Raises:
            TransientError: not decided yet; the runtime retries.
            RejectedError: this record can never be handled; it becomes a dead letter.
            KeyRejectedError: as well, and so do later ones of its key.
        """
        ...


class AsyncResource(Protocol):
    """An async context manager that yields itself."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class Sink(AsyncResource, Protocol[Prepared]):
    """Record in, store out; the runtime enters and leaves it.

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
        """When the sink wants a batch to be stored, and of which partitions.

        None leaves it to the worker's settings. A batch may exceed the limits by one poll, and is
        smaller at a stop.
        """
        ...

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
        """Return what `write` needs of a batch, without any access to the store.

        `write` may be running meanwhile. The result belongs to the runtime: several calls of
        `write` may get it, or none if the batch is abandoned. An error is a defect of the sink;
        `write` rejects records that cannot be stored.
        """
        ...

    async def write(self, batch: Batch, prepared: Prepared) -> Sequence[Rejection]:
        """Store a whole batch; ``prepared`` is the result of `prepare` for it.

        Returning nothing: all of it is stored. Returning rejections: none of it is stored, because
        of these deliveries; the runtime sends them to the dead letters, prepares the rest and calls
        again with the same spans. Raising: unknown; the runtime calls again with the same batch.

        Raises:
            TransientError: the store does not answer.
            FencedError: another owner has the partitions now.
            ConfigurationError: the store is not set up as this sink needs it.
        """
        ...


class Poller(Protocol):
    """Another system's pages in, records out.

    The runtime guarantees:

    - One member of the group is active; the others stand by. It fetches one page of a feed at a
      time, and pages of different feeds concurrently.
    - The records of a page and the watermark that follows it are committed in one transaction, in
      the page's order. So a watermark is never ahead of the records before it.
    - `fetch` gets the last watermark that was committed, by whichever member. A member publishes
      nothing after another has become active.
    - A feed whose fetch fails waits longer after each failure; the others continue.
    - It holds no more records than the worker's bound; one page fits in any case.

    The runtime requires:

    - ``fetch`` allows for another call with the same watermark, after a crash or a change of the
      active member, and for a cancellation at any await. It does not change the other system.
    - Records have their own ids. A reader of uncommitted records sees those of an aborted page, and
      later sees them again.
    """

    @property
    def feeds(self) -> Sequence[Feed]:
        """Its feeds: a few, with distinct names, constant in a process.

        The name is the key of the stored watermark, so it must keep its meaning.
        """
        ...

    @property
    def page_records(self) -> int:
        """How many records a page has at most; at least 1."""
        ...

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        """Return the time from which the next page is due, None where the feed is at its end.

        The watermark is None before the first commit. The call is frequent, so it must be fast; a
        due page stays due until it is fetched. It raises nothing.
        """
        ...

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        """Return the page that follows the watermark; its records may be none.

        After an unchanged watermark, the runtime waits a while before the next call.

        Raises:
            TransientError: the other side does not answer, or must not be called now.
            RejectedError: this page can never be fetched; it is counted, and a person must act.
            ConfigurationError: nothing can be fetched until a person acts; the worker halts, and
                checks again at intervals.
        """
        ...


class TopicTable(Protocol):
    """What the records of one compacted topic say, held in memory and followed for ever.

    The runtime calls it from one task, and hands it each record of the topic, in order within a
    partition. After a failure it may hand over records again, and records between two of them may
    have been compacted away meanwhile. All methods must be fast: they run on the loop.
    """

    def take(self, delivery: Delivery) -> None:
        """Take the next record.

        Raises:
            ValueError: it violates the topic's contract. Like any other error it is counted and
                logged, and the record is skipped.
        """
        ...

    def settle(self) -> bool:
        """Do a part of the work that `take` has put off; return whether nothing is left of it.

        The runtime calls it whenever it has read all that is there, until the answer is True. So
        all versions of a record but the last may cost next to nothing.

        Raises:
            ValueError: a record that was taken violates the contract, and is gone; call again.
        """
        ...

    def clear(self) -> None:
        """Forget everything: the topic was recreated, and all its records follow."""
        ...

    def __len__(self) -> int:
        """Return how many entries it holds."""
        ...


class Lookup(Protocol[Key_contra, Value_co]):
    """A question to another system."""

    async def get(self, key: Key_contra) -> Value_co | None:
        """Return the value, or None where it does not exist.

        Raises:
            TransientError: unknown.
        """
        ...


class Publisher(Protocol):
    """Publishes records."""

    @property
    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged."""
        ...

    async def publish(self, record: Record) -> None:
        """Return once all in-sync replicas have the record.

        A cancelled call stops waiting; the record may still arrive.

        Raises:
            TransientError: not acknowledged; it may or may not have been stored.
            RejectedError: the broker will never accept it (too large).
        """
        ...


class Sender(Publisher, Protocol):
    """A publisher with a callback, for callers without a task per record."""

    def send(self, record: Record, settled: Settled) -> None:
        """Publish; later ``settled`` gets None, or an error as `publish` raises it.

        ``settled`` must not raise; it may send. Nothing limits the time until its call. Records of
        a partition are stored in the order of the calls, but where one fails, later ones may be
        stored before it is sent again: who needs them in order waits for ``settled``.

        Raises:
            TransientError: nothing was sent, and ``settled`` will not be called.
        """
        ...
