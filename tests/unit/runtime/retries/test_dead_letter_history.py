"""Which dead letters of before count for the guard."""

from collections.abc import Sequence

import pytest

from runtime.retries.dead_letter_guard import Origin, Past
from runtime.retries.dead_letter_history import DeadLetterHistory, max_age_s, past
from runtime.values import Delivery, TopicPartition
from schemas.headers import (
    Headers,
    failed_at_header,
    origin_header,
    reason_header,
    timestamp,
    worker_header,
)
from schemas.reasons import DeadLetterReason

now_ms = 1_800_000_000_000
positions = {TopicPartition("in", 0): 1000}


def letter(
    origin: str = "in/0/990",
    *,
    worker: str = "w",
    reason: str = "store_refused",
    age_s: float = 60,
    without: str = "",
    offset: int = 7,
) -> Delivery:
    values = {
        origin_header: origin,
        worker_header: worker,
        reason_header: reason,
        failed_at_header: timestamp(now_ms - int(age_s * 1000)),
    }
    headers: Headers = tuple((name, value.encode()) for name, value in values.items())
    headers = tuple(header for header in headers if header[0] != without)
    return Delivery("dead", 0, offset, b"k", b"v", headers, now_ms)


def line(value: bytes | None) -> Delivery:
    return Delivery("audit", 0, 0, b"k", value, (), now_ms)


def past_of(letters: Sequence[Delivery], *audit: Delivery) -> list[Past]:
    history = DeadLetterHistory(letters, audit)
    return list(past(history, worker="w", positions=positions, records=100, now_ms=now_ms))


def test_a_letter_of_one_of_the_last_records_counts() -> None:
    assert past_of([letter()]) == [Past(Origin("in", 0, 990), DeadLetterReason.STORE_REFUSED, 60.0)]


@pytest.mark.parametrize("origin", ["in/0/900", "in/0/1000", "in/0/5000"])
def test_it_counts_from_the_oldest_of_them_on_and_behind_the_position(origin: str) -> None:
    assert len(past_of([letter(origin)])) == 1


@pytest.mark.parametrize(
    "other",
    [
        letter("in/0/899"),
        letter("in/1/990"),
        letter("elsewhere/0/990"),
        letter("in/0"),
        letter("in/0/x"),
        letter("/0/1"),
        letter(worker="another"),
        letter(age_s=max_age_s),
        letter(without=origin_header),
        letter(without=worker_header),
        letter(without=failed_at_header),
    ],
)
def test_others_do_not_count(other: Delivery) -> None:
    assert past_of([other]) == []


@pytest.mark.parametrize(
    ("reason", "counted"), [("defect", "defect"), ("of tomorrow", "unreadable")]
)
def test_a_reason_that_this_version_does_not_know_is_no_defect(reason: str, counted: str) -> None:
    assert [each.reason for each in past_of([letter(reason=reason)])] == [counted]


def test_a_letter_that_somebody_has_dealt_with_does_not_count() -> None:
    failed_at = timestamp(now_ms - 60_000)
    done = line(b'{"letter": "dead/0/7", "failed_at": "%b", "more": 1}' % failed_at.encode())
    assert past_of([letter(), letter("in/0/991", offset=8)], done)[0].origin.offset == 991
    assert len(past_of([letter()], line(b'{"letter": "dead/0/7", "failed_at": "then"}'))) == 1


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"1", b'{"letter": "dead/0/7"}'])
def test_a_line_of_another_kind_tells_nothing(value: bytes | None) -> None:
    assert len(past_of([letter()], line(value))) == 1
