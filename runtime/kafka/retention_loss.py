"""Counts records that retention deletes before a group has read them."""

from collections.abc import Mapping

import structlog

from runtime import metrics
from runtime.ports import Position
from runtime.values import PartitionState, TopicPartition

log = structlog.get_logger()


def count_expired(
    group: str,
    states: Mapping[TopicPartition, PartitionState],
    committed: Mapping[TopicPartition, Position | None],
) -> Mapping[TopicPartition, Position]:
    """Count the deleted records; return commits that replace the overtaken positions.

    Positions with metadata are left out: the metadata belongs to the position, and its writer
    commits both again.
    """
    overtaken = {}
    for source, state in states.items():
        count = 0 if state.committed is None else max(0, state.log_start - state.committed)
        metrics.worker.expired.labels(group, source.topic, str(source.partition)).inc(count)
        if not count:
            continue
        log.error(
            "retention deleted records before they were read",
            group=group,
            topic=source.topic,
            partition=source.partition,
            records=count,
        )
        position = committed[source]
        if position is not None and not position.metadata:
            overtaken[source] = Position(state.log_start)
    return overtaken
