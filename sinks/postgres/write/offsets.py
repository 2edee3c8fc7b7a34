"""The stored offsets: committed in the transaction of the rows, fenced by an epoch.

An owner takes its partitions over by raising their epoch, and moves an offset only from its own
last value: (epoch, next_offset) is compared and set. Steps to the race that this closes: A writes,
stalls beyond the session timeout; B takes over, reads from the stored offset and writes; A wakes
and sends its commit. A's epoch is old, its statement matches no row, its rows roll back.

When A stalls in the middle of its transaction, it holds the offsets locked. The server waits
without a limit for the rest of A's COPY or pipeline. So B first terminates the sessions that hold
its partitions.

The group's offsets in Kafka decide nothing, because they say nothing about this database. Each
offset is stored with its topic's id, because the same numbers mean other records once a topic is
recreated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from psycopg import AsyncConnection

from runtime.errors import FencedError
from runtime.values import Assignment, Span, TopicPartition
from sinks.postgres.connection import command_connection
from sinks.postgres.write.takeover import Start, StoredPosition, start_of

_end_holders: Final = """
select pg_terminate_backend(locks.pid)
from zcc.kafka_offset as stored
join unnest(%(topics)s::text[], %(partitions)s::integer[]) as taken (topic, partition)
    using (topic, partition)
join pg_locks as locks
    on locks.locktype = 'transactionid' and locks.transactionid = stored.xmax and locks.granted
join pg_stat_activity as holders on holders.pid = locks.pid and holders.usename = current_user
where stored.consumer_group = %(group)s
"""
"""``xmax`` is the transaction that has the row locked, as long as that one runs."""

_take_over: Final = """
insert into zcc.kafka_offset as stored
    (consumer_group, topic, partition, cluster_id, topic_id, epoch, next_offset)
select %(group)s, topic, partition, %(cluster_id)s, topic_id, 1, log_start
from unnest(%(topics)s::text[], %(partitions)s::integer[], %(topic_ids)s::text[],
            %(log_starts)s::bigint[])
    as taken (topic, partition, topic_id, log_start)
order by topic collate "C", partition
on conflict (consumer_group, topic, partition)
do update set epoch = stored.epoch + 1, updated_at = clock_timestamp()
returning topic, partition, cluster_id, topic_id, next_offset, epoch
"""

_correct: Final = """
update zcc.kafka_offset as stored
set topic_id = starts.topic_id, next_offset = starts.next_offset
from unnest(%(topics)s::text[], %(partitions)s::integer[], %(topic_ids)s::text[],
            %(offsets)s::bigint[])
    as starts (topic, partition, topic_id, next_offset)
where stored.consumer_group = %(group)s
  and stored.topic = starts.topic and stored.partition = starts.partition
"""

_advance: Final = """
update zcc.kafka_offset as stored
set next_offset = spans.span_end, updated_at = clock_timestamp()
from unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[],
            %(starts)s::bigint[], %(ends)s::bigint[])
    as spans (topic, partition, epoch, span_start, span_end)
where stored.consumer_group = %(group)s
  and stored.topic = spans.topic and stored.partition = spans.partition
  and stored.epoch = spans.epoch and stored.next_offset = spans.span_start
"""

_count_settled: Final = """
select count(*)
from zcc.kafka_offset as stored
join unnest(%(topics)s::text[], %(partitions)s::integer[], %(epochs)s::bigint[],
            %(ends)s::bigint[])
    as spans (topic, partition, epoch, span_end) using (topic, partition)
where stored.consumer_group = %(group)s
  and stored.epoch = spans.epoch and stored.next_offset = spans.span_end
"""


@dataclass(frozen=True, slots=True)
class Ownership:
    """An assignment's group, and the epoch of each partition."""

    group: str
    epochs: Mapping[TopicPartition, int]


async def take_over(
    connection: AsyncConnection, assignment: Assignment
) -> tuple[Ownership, Mapping[TopicPartition, Start]]:
    """Raise the epochs; return them, and the starts of reading. The caller commits.

    A partition without an offset starts at the start of its log. So does one whose topic was
    recreated, or whose next records retention has deleted.

    Raises:
        ConfigurationError: the stored offsets do not belong to this log; nothing has changed once
            the caller rolls back.
    """
    sources = list(assignment.partitions)
    parameters = {
        "group": assignment.group,
        "cluster_id": assignment.cluster_id,
        "topics": [source.topic for source in sources],
        "partitions": [source.partition for source in sources],
        "topic_ids": [assignment.topic_ids.get(source.topic, "") for source in sources],
        "log_starts": [assignment.partitions[source].log_start for source in sources],
    }
    await connection.execute(_end_holders, parameters)
    taken = await connection.execute(_take_over, parameters)
    epochs, starts = {}, {}
    async for topic, partition, cluster_id, topic_id, next_offset, epoch in taken:
        source = TopicPartition(topic, partition)
        stored = StoredPosition(cluster_id, topic_id, next_offset)
        epochs[source], starts[source] = epoch, start_of(source, stored, assignment)
    parameters["topic_ids"] = [starts[source].topic_id for source in sources]
    parameters["offsets"] = [starts[source].offset for source in sources]
    await connection.execute(_correct, parameters)
    return Ownership(assignment.group, epochs), starts


@dataclass(frozen=True, slots=True)
class Advanced:
    """The offsets were moved in this transaction; the rows belong to it."""


@dataclass(frozen=True, slots=True)
class AlreadyStored:
    """The offsets are at the end of the spans already: an earlier attempt was stored after all."""


async def advance(
    connection: AsyncConnection, ownership: Ownership, spans: Mapping[TopicPartition, Span]
) -> Advanced | AlreadyStored:
    """Move the offsets from the start of the spans to their end; the caller writes and commits.

    Raises:
        FencedError: another owner has taken a partition.
    """
    parameters = {
        "group": ownership.group,
        "topics": [source.topic for source in spans],
        "partitions": [source.partition for source in spans],
        "epochs": [ownership.epochs.get(source) for source in spans],
        "starts": [span.start for span in spans.values()],
        "ends": [span.end for span in spans.values()],
    }
    advanced = await connection.execute(_advance, parameters)
    if advanced.rowcount == len(spans):
        return Advanced()
    settled = await connection.execute(_count_settled, parameters)
    if await settled.fetchone() == (len(spans),):
        return AlreadyStored()
    raise FencedError("another owner has taken partitions of this batch; nothing of it was stored")


class StoredOffset(NamedTuple):
    """The next offset of one partition."""

    topic: str
    partition: int
    cluster_id: str
    topic_id: str
    epoch: int
    next_offset: int
    updated_at: datetime


def stored_offsets(dsn: str, group: str) -> list[StoredOffset]:
    """Return the offsets of a group, in the order of topics and partitions.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with command_connection(dsn, "zcc offsets") as connection:
        rows = connection.execute(
            "select topic, partition, cluster_id, topic_id, epoch, next_offset, updated_at "
            "from zcc.kafka_offset where consumer_group = %s order by topic, partition",
            (group,),
        )
        return [StoredOffset(*row) for row in rows]


def reset_offsets(dsn: str, group: str) -> int:
    """Delete the offsets of a group; return how many partitions had one. Its sinks must be stopped.

    They then read everything in the topics again; stored events stay unchanged.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with command_connection(dsn, "zcc offsets") as connection:
        return connection.execute(
            "delete from zcc.kafka_offset where consumer_group = %s", (group,)
        ).rowcount
