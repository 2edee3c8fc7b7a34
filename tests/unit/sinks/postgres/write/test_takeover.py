"""Where a partition is read on."""

import pytest

from runtime.errors import ConfigurationError
from runtime.values import Assignment, PartitionState, TopicPartition
from sinks.postgres.write.takeover import Start, StoredPosition, start_of

SOURCE = TopicPartition("topic", 0)


def assignment(
    *, committed: int | None = None, start: int = 0, end: int = 100, topic_id: str = "new"
) -> Assignment:
    state = PartitionState(committed, start, end)
    return Assignment("cluster", "group", {SOURCE: state}, {SOURCE.topic: topic_id})


def test_the_same_log_is_read_on() -> None:
    assert start_of(SOURCE, StoredPosition("cluster", "new", 7), assignment()) == Start(7, "new")


@pytest.mark.parametrize(
    ("stored", "present", "known"), [("", "new", "new"), ("old", "", "old"), ("", "", "")]
)
def test_an_id_that_nobody_knows_is_no_other_id(stored: str, present: str, known: str) -> None:
    start = start_of(SOURCE, StoredPosition("cluster", stored, 7), assignment(topic_id=present))
    assert start == Start(7, known)


@pytest.mark.parametrize("next_offset", [2, 50, 500])
def test_a_log_that_was_made_anew_is_read_from_its_start(next_offset: int) -> None:
    start = start_of(SOURCE, StoredPosition("cluster", "old", next_offset), assignment(start=3))
    assert start == Start(3, "new", recreated=True)


@pytest.mark.parametrize(
    ("committed", "uncounted"), [(None, 13), (7, 0), (5, 0), (12, 5), (20, 13), (30, 13)]
)
def test_what_retention_has_deleted_is_counted_once(committed: int | None, uncounted: int) -> None:
    """The consumer counts what lies between the group's position and the start of the log."""
    start = start_of(
        SOURCE, StoredPosition("cluster", "new", 7), assignment(committed=committed, start=20)
    )
    assert start == Start(20, "new", expired=13, uncounted=uncounted)


@pytest.mark.parametrize("topic_id", ["new", ""])
def test_an_offset_beyond_the_end_of_its_log_is_refused(topic_id: str) -> None:
    with pytest.raises(ConfigurationError, match="ends at offset 100, but was stored up to 101"):
        start_of(SOURCE, StoredPosition("cluster", topic_id, 101), assignment())


def test_another_cluster_is_refused_before_anything_else() -> None:
    with pytest.raises(ConfigurationError, match="belongs to Kafka cluster another"):
        start_of(SOURCE, StoredPosition("another", "old", 101), assignment())
