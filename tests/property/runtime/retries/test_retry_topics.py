"""A record waits as it was read, goes through all delays, and comes back as it was first read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import RejectedError
from runtime.retries.retry_topics import RetryTopic, RetryTopics, due_ms
from runtime.values import Delivery, Record
from schemas.headers import text

topics = (RetryTopic("r.30s", 30), RetryTopic("r.2m", 120.0))
delays = RetryTopics(topics)
names = st.text(min_size=1).filter(lambda name: not name.startswith("zcc-"))
deliveries = st.builds(
    Delivery,
    topic=st.sampled_from(["zcc.engagement.v1", "with/slash"]),
    partition=st.integers(0, 99),
    offset=st.integers(0, 2**62),
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    headers=st.lists(st.tuples(names, st.binary()), max_size=5).map(tuple),
    timestamp_ms=st.integers(0, 10**12),
)
moments_ms = st.integers(0, 10**13)


def read_from_log(record: Record) -> Delivery:
    return Delivery(record.topic, 1, 5, record.key, record.value, record.headers, 9)


@given(first=deliveries, moments=st.tuples(moments_ms, moments_ms))
def test_a_record_goes_through_all_delays_and_stays_what_it_is(
    first: Delivery, moments: tuple[int, int]
) -> None:
    first = replace(first, topic="zcc.engagement.v1")
    read = first
    for attempt, (topic, now_ms) in enumerate(zip(topics, moments, strict=True), 1):
        assert delays.restore_original(read).attempt == attempt
        waiting = delays.following(read, now_ms=now_ms)
        assert waiting is not None
        assert (waiting.topic, waiting.partition) == (topic.name, None)
        assert (waiting.key, waiting.value) == (first.key, first.value)
        assert waiting.headers[: len(first.headers)] == first.headers
        read = read_from_log(waiting)
        assert due_ms(read) == now_ms + topic.delay_s * 1000
        assert delays.since(read, now_ms=0) == delays.since(first, now_ms=moments[0])
        assert delays.restore_original(read) == replace(first, timestamp_ms=9, attempt=attempt + 1)
    assert delays.following(read, now_ms=0) is None


@given(delivery=deliveries)
def test_what_comes_from_no_retry_topic_is_what_it_is(delivery: Delivery) -> None:
    foreign = (("zcc-attempts", b"7"), ("zcc-origin", b"x/1/1"), ("zcc-first-failed-at", b"then"))
    delivery = replace(delivery, headers=delivery.headers + foreign)
    assert delays.restore_original(delivery) is delivery
    assert delays.since(delivery, now_ms=0) == "1970-01-01T00:00:00.000Z"


def test_a_worker_without_delays_puts_nothing_off() -> None:
    assert RetryTopics().following(Delivery("t", 0, 0, None, None, (), 0), now_ms=0) is None


def test_the_delays_are_known_by_topic() -> None:
    assert delays.delays_s == {"r.30s": 30, "r.2m": 120}


def waiting(**headers: bytes) -> Delivery:
    named = tuple((f"zcc-{name.replace('_', '-')}", value) for name, value in headers.items())
    return Delivery("r.30s", 0, 3, b"k", b"v", named, 0)


@pytest.mark.parametrize("origin", [b"", b"t", b"t/1", b"t/x/1", b"t/1/-2", "t/1/²".encode()])
def test_a_record_that_does_not_say_where_it_was_first_read_is_rejected(origin: bytes) -> None:
    for delivery in (waiting(origin=origin), waiting()):
        with pytest.raises(RejectedError, match="zcc-origin"):
            delays.restore_original(delivery)


@pytest.mark.parametrize("attempts", [None, b"", b"-1", b"many", b"9" * 5000, "²".encode()])
def test_a_record_that_does_not_tell_its_attempts_is_looked_at_as_for_the_first_time(
    attempts: bytes | None,
) -> None:
    known = {} if attempts is None else {"attempts": attempts}
    first = delays.restore_original(waiting(origin=b"t/4/2", **known))
    assert (first.topic, first.partition, first.offset, first.attempt) == ("t", 4, 2, 1)
    assert first.headers == ()
    following = delays.following(waiting(origin=b"t/4/2", **known), now_ms=0)
    assert following is not None
    assert following.topic == "r.30s"


@pytest.mark.parametrize("due_at", [b"", b"soon", b"\xff", b"1969-12-31T23:59:59Z"])
def test_a_record_without_a_readable_due_time_is_due_at_once(due_at: bytes) -> None:
    assert due_ms(waiting(due_at=due_at)) == due_ms(waiting()) == 0


def test_the_headers_of_a_waiting_record_say_where_since_when_how_often_and_until_when() -> None:
    made = delays.following(Delivery("t", 4, 2, b"k", b"v", (), 0), now_ms=1_000)
    assert made is not None
    texts = {name: text(made.headers, name) for name, _ in made.headers}
    assert texts == {
        "zcc-origin": "t/4/2",
        "zcc-attempts": "1",
        "zcc-first-failed-at": "1970-01-01T00:00:01.000Z",
        "zcc-due-at": "1970-01-01T00:00:31.000Z",
    }
