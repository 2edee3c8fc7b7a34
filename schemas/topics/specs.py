"""Pure: the configuration of a deployment's topics, from their records and a few choices."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from .names import Workers, dead_letter_topic, retry_topic, watermark_topic
from .records import TopicRecord, topic_records
from .terms import Cleanup

broker_default_bytes: Final = 1_048_588
"""Source: Apache Kafka, topic setting max.message.bytes."""

_day_ms: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """The specification of one topic. ``retention_ms`` is -1 for ever.

    A compacted topic keeps every record for ``compaction_lag_ms``, older versions included.

    ``max_message_bytes`` limits a batch of records as written, after compression.
    """

    name: str
    partitions: int
    replication: int
    cleanup: Cleanup
    retention_ms: int
    max_message_bytes: int = broker_default_bytes
    compaction_lag_ms: int = 0


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """The choices of a deployment. Days of retention; partitions at least 1."""

    prefix: str
    engagement_partitions: int
    other_partitions: int
    replication: int
    event_retention_days: int
    dead_letter_retention_days: int
    audit_retention_days: int


def topic_specs(
    plan: TopicPlan, workers: Workers, *, pollers: Collection[str] = ()
) -> Iterator[TopicSpec]:
    """Yield every topic of a deployment with these workers and pollers, given by their names."""
    for record in topic_records():
        for name in topic_names(record, prefix=plan.prefix, workers=workers, pollers=pollers):
            yield TopicSpec(
                name,
                partition_count(record, plan),
                plan.replication,
                record.cleanup,
                retention_ms(record, plan),
                record.max_message_bytes,
                record.compaction_lag_ms,
            )


def topic_names(
    record: TopicRecord,
    *,
    prefix: str,
    workers: Workers,
    pollers: Collection[str] = (),
) -> Iterator[str]:
    """Yield the topics of a record: one, or one for each worker, retry delay or poller."""
    match record.kind:
        case "dead-letter":
            yield from (dead_letter_topic(worker, prefix=prefix) for worker in workers)
        case "retry":
            for worker, delays_s in workers.items():
                for delay_s in delays_s:
                    yield retry_topic(worker, delay_s, prefix=prefix)
        case "watermarks":
            yield from (watermark_topic(poller, prefix=prefix) for poller in pollers)
        case _:
            yield record.topic.format(prefix=prefix)


def partition_count(record: TopicRecord, plan: TopicPlan) -> int:
    """Return how many partitions a topic has."""
    if record.partitions == "one":
        return 1
    count: int = getattr(plan, record.partitions)
    return count


def retention_ms(record: TopicRecord, plan: TopicPlan) -> int:
    """Return how long records are kept, -1 for ever."""
    if record.retention == "for ever":
        return -1
    days: int = getattr(plan, record.retention)
    return days * _day_ms
