"""Pure: compares topics with their specifications, and plans the changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from schemas.topics import TopicSpec


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is; ``configs`` holds the values in force of all its settings."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Create:
    """The topic is missing."""

    spec: TopicSpec


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """The topic has too few partitions."""

    topic: str
    present: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Configure:
    """Settings of the topic differ; both mappings have the same keys."""

    topic: str
    present: Mapping[str, str]
    wanted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refuse:
    """A difference that no command can correct; ``reason`` says what to do."""

    topic: str
    reason: str


Change = Create | AddPartitions | Configure | Refuse


@dataclass(frozen=True, slots=True)
class TopicChanges:
    """The changes that were or would be made, one line each, for people.

    ``settled`` says that nothing is left to do: the topics are as they should be.
    """

    lines: tuple[str, ...]
    settled: bool


def wanted_configs(spec: TopicSpec) -> Mapping[str, str]:
    """Return the settings of a topic. One copy may be missing without stopping acks=all."""
    lag = {"min.compaction.lag.ms": str(spec.compaction_lag_ms)}
    return {
        "cleanup.policy": spec.cleanup,
        "retention.ms": str(spec.retention_ms),
        "max.message.bytes": str(spec.max_message_bytes),
        "min.insync.replicas": str(max(1, spec.replication - 1)),
        **(lag if spec.cleanup == "compact" else {}),
    }


def changes(specs: Sequence[TopicSpec], states: Mapping[str, TopicState]) -> Iterator[Change]:
    """Yield how to get from the states to the specifications, in their order."""
    for spec in specs:
        state = states.get(spec.name)
        if state is None:
            yield Create(spec)
        else:
            yield from _differences(spec, state)


def _differences(spec: TopicSpec, state: TopicState) -> Iterator[Change]:
    if state.partitions < spec.partitions:
        yield AddPartitions(spec.name, state.partitions, spec.partitions)
    if state.partitions > spec.partitions:
        yield Refuse(
            spec.name,
            f"has {state.partitions} partitions, expected {spec.partitions}: Kafka cannot remove "
            f"partitions; set ZCC_KAFKA_ENGAGEMENT_PARTITIONS or ZCC_KAFKA_OTHER_PARTITIONS to "
            f"the present number",
        )
    if state.replication != spec.replication:
        yield Refuse(
            spec.name,
            f"has replication {state.replication}, expected {spec.replication}: move its "
            f"replicas with kafka-reassign-partitions, or set ZCC_KAFKA_REPLICATION to the "
            f"present number",
        )
    wanted = {
        name: value
        for name, value in wanted_configs(spec).items()
        if state.configs.get(name) != value
    }
    if wanted:
        present = {name: state.configs.get(name, "") for name in wanted}
        yield Configure(spec.name, present, wanted)


def describe_change(change: Change) -> str:
    """Return a change as a line for people."""
    match change:
        case Create(spec):
            return (
                f"{spec.name}: create with {spec.partitions} partitions, replication "
                f"{spec.replication}, {spec.cleanup}, {_retention_text(spec.retention_ms)}"
            )
        case AddPartitions(topic, present, wanted):
            return (
                f"{topic}: raise from {present} to {wanted} partitions; "
                f"new records of a key may go to another partition than its old ones"
            )
        case Configure(topic, present, wanted):
            pairs = (f"{name} from {present[name]} to {wanted[name]}" for name in sorted(wanted))
            return f"{topic}: set {', '.join(pairs)}"
        case Refuse(topic, reason):
            return f"{topic}: {reason}"
        case _:
            assert_never(change)


def _retention_text(retention_ms: int) -> str:
    return "kept for ever" if retention_ms < 0 else f"kept {retention_ms / 86_400_000:g} days"
