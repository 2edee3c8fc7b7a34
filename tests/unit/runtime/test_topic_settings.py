"""How topics differ from what they should be."""

from runtime.topic_settings import (
    AddPartitions,
    Change,
    Configure,
    Create,
    Refuse,
    TopicState,
    changes,
    describe_change,
    wanted_configs,
)
from schemas.topics import TopicSpec

spec = TopicSpec("t.x.v1", 6, 3, "delete", 7 * 86_400_000)
right = TopicState(6, 3, {**wanted_configs(spec), "segment.bytes": "1"})


def planned(state: TopicState | None) -> list[Change]:
    return list(changes([spec], {} if state is None else {spec.name: state}))


def test_a_missing_topic_is_created() -> None:
    (change,) = planned(None)
    assert change == Create(spec)
    assert describe_change(change) == (
        "t.x.v1: create with 6 partitions, replication 3, delete, kept 7 days"
    )


def test_a_topic_as_it_should_be_is_left_alone() -> None:
    assert planned(right) == []


def test_partitions_are_added() -> None:
    (change,) = planned(TopicState(4, 3, right.configs))
    assert change == AddPartitions("t.x.v1", 4, 6)
    assert "from 4 to 6 partitions" in describe_change(change)


def test_partitions_are_never_taken_away() -> None:
    (change,) = planned(TopicState(8, 3, right.configs))
    assert isinstance(change, Refuse)
    assert "cannot remove partitions" in describe_change(change)


def test_another_replication_is_for_the_operator() -> None:
    (change,) = planned(TopicState(6, 1, right.configs))
    assert isinstance(change, Refuse)
    assert "kafka-reassign-partitions" in describe_change(change)


def test_only_settings_that_differ_are_set() -> None:
    configs = {**right.configs, "retention.ms": "5", "cleanup.policy": "compact"}
    (change,) = planned(TopicState(6, 3, configs))
    assert change == Configure(
        "t.x.v1",
        {"cleanup.policy": "compact", "retention.ms": "5"},
        {"cleanup.policy": "delete", "retention.ms": "604800000"},
    )
    assert describe_change(change) == (
        "t.x.v1: set cleanup.policy from compact to delete, retention.ms from 5 to 604800000"
    )


def test_a_compacted_topic_is_kept_for_ever_and_one_copy_may_be_missing() -> None:
    compacted = TopicSpec("t.reference.v1", 6, 3, "compact", -1)
    assert wanted_configs(compacted) == {
        "cleanup.policy": "compact",
        "retention.ms": "-1",
        "max.message.bytes": "1048588",
        "min.insync.replicas": "2",
        "min.compaction.lag.ms": "0",
    }
    assert "kept for ever" in describe_change(Create(compacted))
    alone = TopicSpec("t.x.v1", 1, 1, "delete", 1)
    assert wanted_configs(alone)["min.insync.replicas"] == "1"


def test_a_compacted_topic_keeps_all_records_for_its_lag_and_an_old_one_is_changed() -> None:
    lagging = TopicSpec("t.reference.v1", 6, 3, "compact", -1, compaction_lag_ms=3_600_000)
    present = {**wanted_configs(lagging), "min.compaction.lag.ms": "0"}

    (change,) = changes([lagging], {lagging.name: TopicState(6, 3, present)})

    assert describe_change(change) == (
        "t.reference.v1: set min.compaction.lag.ms from 0 to 3600000"
    )
