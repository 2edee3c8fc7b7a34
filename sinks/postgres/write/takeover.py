"""Pure: where to continue a partition, by its stored position and its present log."""

from typing import Final, NamedTuple

from runtime.errors import ConfigurationError
from runtime.values import Assignment, TopicPartition

_repair: Final = (
    "run `zcc offsets reset postgres` with all its sinks stopped: they then read everything that "
    "the topics still hold, and events that are already stored stay as they are"
)


class StoredPosition(NamedTuple):
    """The database's position of a partition; ``topic_id`` is "" where it was unknown."""

    cluster_id: str
    topic_id: str
    next_offset: int


class Start(NamedTuple):
    """Where to continue a partition.

    ``expired`` is the number of records that retention deleted before they were stored.
    ``uncounted`` of them were not below the group's position in Kafka, which the consumer counts
    from. ``recreated`` says that the topic was recreated, so its log is read from its start.
    """

    offset: int
    topic_id: str
    expired: int = 0
    uncounted: int = 0
    recreated: bool = False


def start_of(source: TopicPartition, stored: StoredPosition, assignment: Assignment) -> Start:
    """Return where to continue.

    Raises:
        ConfigurationError: the stored offset belongs to another cluster, or is beyond the end of
            the log.
    """
    name = f"{source.topic}/{source.partition}"
    state = assignment.partitions[source]
    topic_id = assignment.topic_ids.get(source.topic, "")
    if stored.cluster_id != assignment.cluster_id:
        raise ConfigurationError(
            f"the stored offset of {name} belongs to Kafka cluster {stored.cluster_id}, "
            f"this one is {assignment.cluster_id}: connect to that one, or {_repair}"
        )
    if stored.topic_id and topic_id and stored.topic_id != topic_id:
        return Start(state.log_start, topic_id, recreated=True)
    if stored.next_offset > state.log_end:
        raise ConfigurationError(
            f"{name} ends at offset {state.log_end}, but was stored up to {stored.next_offset}: "
            f"the topic has lost records, or was recreated; {_repair}"
        )
    known = topic_id or stored.topic_id
    if stored.next_offset >= state.log_start:
        return Start(stored.next_offset, known)
    counted_from = state.log_start if state.committed is None else state.committed
    return Start(
        state.log_start,
        known,
        expired=state.log_start - stored.next_offset,
        uncounted=max(0, min(counted_from, state.log_start) - stored.next_offset),
    )
