"""Pure: the names of all topics and how each is set up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .catalogue import engagement_keyed_families, families, unknown_family

all_families: Final = (*families, unknown_family)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it should be. ``retention_ms`` is -1 for ever."""

    name: str
    partitions: int
    replication: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """The choices from which all `TopicSpec` follow. Days of retention; partitions at least 1."""

    prefix: str
    engagement_partitions: int
    other_partitions: int
    replication: int
    event_retention_days: int
    set_aside_retention_days: int


def raw_topic(family: str, *, prefix: str) -> str:
    """Name the topic of verbatim bodies of a family."""
    return f"{prefix}.{family}.v1"


def enriched_topic(family: str, *, prefix: str) -> str:
    """Name the topic of enriched events of a family."""
    return f"{prefix}.enriched.{family}.v1"


def quarantine_topic(*, prefix: str) -> str:
    """Name the topic of signed but unreadable bodies."""
    return f"{prefix}.quarantine.v1"


def reference_topic(*, prefix: str) -> str:
    """Name the compacted topic of reference entities."""
    return f"{prefix}.reference.v1"


def dead_letter_topic(worker: str, *, prefix: str) -> str:
    """Name the topic of records that a worker set aside."""
    return f"{prefix}.dead-letter.{worker}.v1"


def raw_topics(*, prefix: str) -> tuple[str, ...]:
    """All raw topics, the unknown family included."""
    return tuple(raw_topic(family, prefix=prefix) for family in all_families)


def enriched_topics(*, prefix: str) -> tuple[str, ...]:
    """All enriched topics, the unknown family included."""
    return tuple(enriched_topic(family, prefix=prefix) for family in all_families)


def topic_specs(plan: TopicPlan, workers: Sequence[str]) -> Iterator[TopicSpec]:
    """Yield every topic of a deployment with these workers."""
    events_ms = plan.event_retention_days * 86_400_000
    set_aside_ms = plan.set_aside_retention_days * 86_400_000
    for family in all_families:
        shared = family in engagement_keyed_families or family == unknown_family
        partitions = plan.engagement_partitions if shared else plan.other_partitions
        for name in (raw_topic, enriched_topic):
            topic = name(family, prefix=plan.prefix)
            yield TopicSpec(topic, partitions, plan.replication, "delete", events_ms)
    for topic in (
        quarantine_topic(prefix=plan.prefix),
        *(dead_letter_topic(worker, prefix=plan.prefix) for worker in workers),
    ):
        yield TopicSpec(topic, plan.other_partitions, plan.replication, "delete", set_aside_ms)
    reference = reference_topic(prefix=plan.prefix)
    yield TopicSpec(reference, plan.other_partitions, plan.replication, "compact", -1)
