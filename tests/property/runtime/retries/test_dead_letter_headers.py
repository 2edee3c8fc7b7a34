"""Whatever a record's headers were, a replay has them again."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from operations.dead_letters.actions import Act, ReplayRules, to_origin
from operations.dead_letters.fingerprint import normalised
from operations.dead_letters.letter import Letter, RecordId, letter_of
from operations.dead_letters.summary import Earliest
from runtime.retries.dead_letters import Failure, dead_letter
from runtime.values import Delivery
from schemas.headers import Headers
from schemas.reasons import DeadLetterReason
from schemas.topics.terms import header_sets

names = st.sampled_from(["ce_id", *(header.name for header in header_sets["dead-letter"])])
headers = st.lists(st.tuples(names | st.text(), st.binary()), max_size=20).map(tuple)
rules = ReplayRules("p", max_replays=5, partitions={"in": 4})


def failed_again(delivery: Delivery) -> Delivery:
    failed_at = datetime(2026, 1, 15, tzinfo=UTC)
    failure = Failure("w", DeadLetterReason.DEFECT, "x", 1, failed_at)
    made = dead_letter(delivery, failure, topic="dead")
    return Delivery(made.topic, 0, 0, made.key, made.value, made.headers, 0)


@given(
    st.none() | st.binary(),
    st.none() | st.binary(),
    headers,
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_replays_keep_every_byte_and_count(
    key: bytes | None, value: bytes | None, original_headers: Headers, partition: int, rounds: int
) -> None:
    original = Delivery("in", partition, 9, key, value, original_headers, 0)
    delivery = original
    for count in range(1, rounds + 1):
        read = failed_again(delivery)
        act = to_origin(read, letter_of(read, worker="w"), rules)
        assert isinstance(act, Act)
        assert act.record is not None
        assert (act.record.key, act.record.value) == (key, value)
        assert (act.record.topic, act.record.partition) == ("in", partition)
        without = tuple(header for header in original_headers if header[0] != "zcc-replays")
        assert act.record.headers == (*without, ("zcc-replays", b"%d" % count))
        delivery = Delivery("in", partition, 9 + count, key, value, act.record.headers, 0)


@given(st.text())
def test_an_error_without_what_varies_has_nothing_more_to_lose(error: str) -> None:
    once = normalised(error)
    assert normalised(once) == once
    assert not any(each.isdecimal() for each in once)


@given(st.lists(st.integers(0, 20)), st.integers(1, 10))
def test_the_earliest_are_the_first_of_all_in_order(times_ms: list[int], most: int) -> None:
    letters = [
        Letter(RecordId("t", 0, offset), "w", "", "", "", at_ms, 0, 0, None, None)
        for offset, at_ms in enumerate(times_ms)
    ]
    earliest = Earliest(most)
    for letter in letters:
        earliest.add(letter)
    in_order = sorted(letters, key=lambda each: each.failed_at_ms)
    assert list(earliest.letters) == in_order[:most]
    assert earliest.added == len(letters)
