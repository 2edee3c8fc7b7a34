"""Timestamps of the records read: one mark about every second, known for any later offset."""

from runtime.kafka.timestamp_index import TimestampIndex
from runtime.values import Delivery, TopicPartition

source = TopicPartition("t", 0)


def read(marks: TimestampIndex, *records: tuple[int, int]) -> None:
    """Note records by offset and time in ms."""
    marks.note(source, [Delivery("t", 0, at, None, None, (), made) for at, made in records])


def begun(offset: int = 0) -> TimestampIndex:
    marks = TimestampIndex()
    marks.begin(source, offset)
    return marks


def test_a_partition_that_nobody_reads_has_no_times() -> None:
    assert TimestampIndex().timestamp_ms(source, 0) is None


def test_a_record_that_was_not_read_has_no_time() -> None:
    marks = begun()
    read(marks, (0, 1000))
    assert [marks.timestamp_ms(source, at) for at in (0, 1)] == [1000, None]


def test_the_timestamp_is_that_of_the_last_mark_before() -> None:
    marks = begun()
    read(marks, (0, 1000), (1, 1999), (2, 2000), (3, 5000))
    read(marks, (4, 5001))
    assert [marks.timestamp_ms(source, at) for at in range(5)] == [1000, 1000, 2000, 5000, 5000]


def test_a_producer_whose_clock_is_behind_is_recorded_too() -> None:
    marks = begun()
    read(marks, (0, 9000), (1, 2000))
    assert marks.timestamp_ms(source, 1) == 2000


def test_offsets_without_records_count_as_the_record_that_follows_them() -> None:
    marks = begun(5)
    read(marks, (8, 1000), (20, 9000))
    assert [marks.timestamp_ms(source, at) for at in (5, 8, 9, 20)] == [1000, 1000, 1000, 9000]


def test_a_partition_that_is_read_from_elsewhere_begins_anew() -> None:
    marks = begun()
    read(marks, (0, 1000), (1, 2000))
    marks.begin(source, 1)
    assert marks.timestamp_ms(source, 1) is None
    read(marks, (1, 2000))
    assert marks.timestamp_ms(source, 1) == 2000


def test_marks_before_the_requested_offset_are_dropped() -> None:
    marks = begun()
    read(marks, *((at, 1000 * at) for at in range(1000)))
    marks.timestamp_ms(source, 990)
    assert len(marks._marks[source]) == 10


def test_a_partition_is_read_on_behind_its_last_record_however_far_apart_they_are() -> None:
    marks = begun(3)
    assert marks.next_offset(source) == 3
    read(marks, (5, 1000), (9, 1001))
    assert marks.next_offset(source) == 10


def test_what_lies_before_the_start_of_reading_has_no_time_until_something_is_read() -> None:
    marks = begun(500)
    assert marks.timestamp_ms(source, 300) is None
    read(marks, (500, 1000))
    assert marks.timestamp_ms(source, 300) == 1000
