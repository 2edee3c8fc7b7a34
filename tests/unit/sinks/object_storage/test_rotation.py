"""Which objects are closed when."""

from runtime.sinks.batcher import Batcher
from runtime.values import Collected, Delivery, Span, TopicPartition
from sinks.object_storage.rotation import Rotation
from sinks.object_storage.settings import ObjectStorageSettings

old, young, middle = (TopicPartition("t", number) for number in range(3))
rotation = Rotation(records=10, size_bytes=1000, age_s=60.0)


def record(source: TopicPartition, offset: int) -> Delivery:
    return Delivery(*source, offset, None, b"x", (), 0)


def test_at_its_age_an_object_is_closed_and_those_of_half_of_it_too_but_no_younger_one() -> None:
    collected = {
        old: Collected(1, 1, since_s=0.0),
        middle: Collected(1, 1, since_s=30.0),
        young: Collected(1, 1, since_s=30.1),
    }
    assert set(rotation.chosen(collected, 60.0)) == {old, middle}


def test_at_the_most_records_or_bytes_that_may_be_held_all_are_closed() -> None:
    for full in (Collected(9, 1, 0.0), Collected(1, 999, 0.0)):
        collected = {old: full, young: Collected(1, 1, 1.0)}
        assert set(rotation.chosen(collected, 1.0)) == {old, young}


def test_the_settings_say_when() -> None:
    settings = ObjectStorageSettings(rotate_records=1, rotate_bytes=2048, rotate_age_s=3)
    assert settings.rotation == Rotation(1, 2048, 3)


def test_what_stays_open_is_due_at_its_own_age_with_all_that_came_meanwhile() -> None:
    batcher = Batcher(rotation, {old: 0, young: 5})
    batcher.add(record(old, 0), 0.0)
    batcher.add(record(young, 5), 50.0)
    assert batcher.due(60.0)
    assert batcher.take_due(60.0).spans == {old: Span(0, 1)}
    assert batcher.oldest_since_s == 50.0
    batcher.add(record(young, 6), 70.0)
    batcher.add(record(old, 1), 100.0)
    assert not batcher.due(109.0)
    assert batcher.due(110.0)
    assert batcher.take_due(110.0).spans == {young: Span(5, 7)}
    assert len(batcher) == 1
