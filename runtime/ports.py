"""Pure: what the worker needs of Kafka; `runtime.kafka` and the fake for simulation provide it.

One contract suite (`tests/contract`) runs against both.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from runtime.contracts import AsyncResource
from runtime.values import Assignment, Delivery, Record, TopicPartition


class Position(NamedTuple):
    """What a group commits for a partition: the next offset to read, and a short text."""

    offset: int
    metadata: str = ""


class LogBounds(NamedTuple):
    """Offset of the first record of a partition, and the offset after its last readable one."""

    start: int
    end: int


class TopicLog(NamedTuple):
    """The log behind a topic at a moment: its id, "" where brokers have none, and its bounds."""

    topic_id: str
    bounds: Mapping[TopicPartition, LogBounds]


class RebalanceListener(Protocol):
    """Called on changes of ownership from within `Consumer.poll`, which waits for it."""

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These are about to be taken away; what is committed before returning still counts."""
        ...

    async def assigned(self, assignment: Assignment) -> None:
        """All partitions owned from now on. `Consumer.seek` may be called from here."""
        ...


class Consumer(AsyncResource, Protocol):
    """One member of one group, reading committed records of its topics; left without committing.

    Offsets are committed by `commit` alone; but where retention has overtaken a position, the start
    of the log is. A partition without a committed offset starts at the beginning of its log.

    A commit names the log that it is of, by the id that the topic had at the assignment. In a topic
    that was recreated it counts as none.
    """

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        """Return what is there, in order within each partition; empty after the time-out.

        Raises:
            TransientError: the brokers do not answer, or have expelled this member: join again.
            FencedError: a topic was recreated since the assignment: join again.
        """
        ...

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Commit, for this generation only.

        Raises:
            FencedError: the group has moved on; nothing was committed.
            TransientError: not committed, as far as is known.
        """
        ...

    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        """Return what the group has committed, metadata included.

        Raises:
            TransientError: the brokers do not answer.
        """
        ...

    async def refuse_recreated(self, partitions: Collection[TopicPartition]) -> None:
        """Return where all that was polled of these is of the logs of the assignment.

        Raises:
            FencedError: one of their topics was recreated since: forget the assignment.
            TransientError: the result is unknown.
        """
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Fetch nothing from these; membership continues as long as `poll` is called."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Fetch from these again."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue an owned partition at this offset."""
        ...

    def timestamp_ms(self, partition: TopicPartition, offset: int) -> int | None:
        """Return when the first record from this offset on was made, to a second; None if unread.

        By its sender's clock. The offsets that are asked for rise.
        """
        ...

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the offset after the last readable record of each.

        Raises:
            TransientError: the brokers do not answer.
        """
        ...


class LogReader(AsyncResource, Protocol):
    """Reads committed records of all partitions of one topic without a group. Enter it once.

    Entering raises TransientError where the brokers do not answer, ConfigurationError where they
    refuse or the topic does not exist.
    """

    @property
    def log(self) -> TopicLog:
        """The log as it was at the entering."""
        ...

    def begin(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read each partition of `log` from this offset on. Call it once, before `poll`."""
        ...

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        """Return what is there, in order within each partition; empty after the time-out.

        Raises:
            TransientError: the brokers do not answer, or the topic is gone or has more partitions:
                another reader may continue at `positions`.
            FencedError: the topic was recreated, or a position is outside its log: forget them.
            ConfigurationError: the brokers refuse.
        """
        ...

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset of each partition; all records before were returned by `poll`."""
        ...

    @property
    def ends(self) -> Mapping[TopicPartition, int]:
        """The offset after the last readable record of each partition, as far as it is known."""
        ...

    @property
    def unreadable_count(self) -> int:
        """How many records were skipped because the client cannot decode them."""
        ...


class TransactionalPublisher(Protocol):
    """Publishes in transactions of one transactional id, from entering it to leaving it.

    Entering fences all that entered with this id before: what they had not committed is aborted,
    they publish nothing more, and a reader that begins now sees all that they had committed.
    Entering raises TransientError and ConfigurationError as `Consumer` does.
    """

    async def publish(self, records: Sequence[Record]) -> None:
        """Commit all of these or none, in their order within each partition; one call at a time.

        After an error or a cancellation it is of no more use: leave it. The next
        entering settles what nobody knows.

        Raises:
            FencedError: another has entered with the id, or a transaction took too long.
            TransientError: they may or may not be committed.
            RejectedError: a topic will never take one of them; none is committed.
        """
        ...
