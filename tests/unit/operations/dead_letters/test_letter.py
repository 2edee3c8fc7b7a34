"""What a dead letter's headers say, which letters are meant, and which failed alike."""

from dataclasses import replace

import pytest

from operations.dead_letters.fingerprint import fingerprint, normalised
from operations.dead_letters.letter import Letter, RecordId, letter_of
from operations.dead_letters.selection import Selection
from operations.dead_letters.summary import Earliest, Summary
from runtime.values import Delivery
from schemas.envelope import latest_event_ts_ms

FAILED_AT_MS = 1_768_469_400_123

read = Delivery(
    topic="p.dead-letter.postgres.v1",
    partition=1,
    offset=7,
    key=b"account:engagement",
    value=b"body",
    headers=(
        ("ce_type", b"contact_center.engagement_started"),
        ("zcc-replays", b"2"),
        ("zcc-reason", b"unreadable"),
        ("zcc-error", b"no member payload"),
        ("zcc-attempts", b"3"),
        ("zcc-origin", b"p.enriched.engagement.v1/5/1042"),
        ("zcc-worker", b"postgres"),
        ("zcc-failed-at", b"2026-01-15T09:30:00.123Z"),
    ),
    timestamp_ms=5,
)
letter = letter_of(read, worker="postgres")


def test_a_letter_is_what_its_headers_say() -> None:
    assert letter == Letter(
        record_id=RecordId("p.dead-letter.postgres.v1", 1, 7),
        worker="postgres",
        reason="unreadable",
        event="contact_center.engagement_started",
        error="no member payload",
        failed_at_ms=FAILED_AT_MS,
        attempts=3,
        replays=2,
        origin=RecordId("p.enriched.engagement.v1", 5, 1042),
        key=b"account:engagement",
    )


def test_a_letter_without_headers_is_known_by_its_place_and_time() -> None:
    bare = letter_of(replace(read, headers=(), key=None), worker="w")
    assert (bare.reason, bare.event, bare.error, bare.origin, bare.key) == ("", "", "", None, None)
    assert (bare.failed_at_ms, bare.attempts, bare.replays) == (5, 0, 0)


@pytest.mark.parametrize(("sent_ms", "known_ms"), [(-1, 0), (10**18, latest_event_ts_ms)])
def test_a_time_that_is_none_stops_nobody(sent_ms: int, known_ms: int) -> None:
    assert letter_of(replace(read, headers=(), timestamp_ms=sent_ms), worker="w").failed_at_ms == (
        known_ms
    )


@pytest.mark.parametrize("count", [b"many", b"-1", b"", "\u0663".encode(), b"9" * 20])
def test_a_count_that_is_none_is_none(count: bytes) -> None:
    headers = (("zcc-replays", count), ("zcc-attempts", count))
    odd = letter_of(replace(read, headers=headers), worker="w")
    assert (odd.replays, odd.attempts) == (0, 0)


@pytest.mark.parametrize("written", ["t/0/1", "p.a-b.v1/12/9223372036854775807"])
def test_a_place_is_written_as_it_is_read(written: str) -> None:
    assert str(RecordId.parse(written)) == written


@pytest.mark.parametrize("written", ["", "t", "t/0", "/0/1", "t/x/1", "t/0/-1", "t/0/1/2", "t/0/"])
def test_what_is_no_place_is_none(written: str) -> None:
    assert RecordId.parse(written) is None


@pytest.mark.parametrize(
    ("selection", "admits"),
    [
        (Selection(), True),
        (Selection(reasons={"unreadable", "defect"}), True),
        (Selection(reasons={"defect"}), False),
        (Selection(events={"contact_center.engagement_started"}), True),
        (Selection(events={"contact_center.engagement_ended"}), False),
        (Selection(keys={b"account:engagement"}), True),
        (Selection(keys={b"account:other"}), False),
        (Selection(origin_topics={"p.enriched.engagement.v1"}), True),
        (Selection(origin_topics={"p.engagement.v1"}), False),
        (Selection(from_ms=FAILED_AT_MS), True),
        (Selection(from_ms=FAILED_AT_MS + 1), False),
        (Selection(to_ms=FAILED_AT_MS + 1), True),
        (Selection(to_ms=FAILED_AT_MS), False),
        (Selection(fingerprints={letter.fingerprint}), True),
        (Selection(fingerprints={"0" * 12}), False),
    ],
)
def test_a_selection_admits_what_it_names(selection: Selection, *, admits: bool) -> None:
    assert selection.admits(letter) is admits


def test_a_letter_without_origin_comes_from_no_topic() -> None:
    assert not Selection(origin_topics={"t"}).admits(replace(letter, origin=None))


@pytest.mark.parametrize(
    "error",
    [
        "engagement 17: no such row",
        "engagement x0WgvrLeSv6Ov2_EQSgaCg: no such row",
        "engagement xxWgvrLeSvaOvb_EQSgaCg: no such row",
        "engagement xxWgvrLeSvaOvb_EQSgaCg==: no such row",
        "engagement 1b4e28ba-2fa1-11d2-883f-0016d3cca427: no such row",
        "engagement 2026-01-15:\n no  such row",
    ],
)
def test_numbers_and_ids_do_not_tell_errors_apart(error: str) -> None:
    assert normalised(error) == "engagement #: no such row"


def test_words_tell_errors_apart() -> None:
    text = "UnsupportedCompressionTypeError: KeyError: 'agent_identifier_of_engagement'"
    assert normalised(text) == text


def test_a_fingerprint_depends_on_worker_reason_event_and_kind_of_error() -> None:
    alike = fingerprint("w", "r", "e", "row 1"), fingerprint("w", "r", "e", "row 2")
    others = {
        fingerprint("v", "r", "e", "row 1"),
        fingerprint("w", "s", "e", "row 1"),
        fingerprint("w", "r", "f", "row 1"),
        fingerprint("w", "r", "e", "column 1"),
        fingerprint("w", "", "re", "row 1"),
    }
    assert alike[0] == alike[1]
    assert len(others | set(alike)) == 6
    assert len(alike[0]) == 12


def failed(at_ms: int, *, reason: str = "defect", origin: RecordId | None = None) -> Letter:
    return replace(
        letter, failed_at_ms=at_ms, reason=reason, origin=origin or RecordId("t", 0, at_ms)
    )


def test_a_summary_counts_what_is_alike_with_the_first_as_example() -> None:
    odd = replace(failed(9, reason="parked"), origin=None, error="follows t/0/1")
    common, rare = Summary([failed(5), odd, failed(3), failed(8)]).groups
    assert (common.count, common.first_ms, common.last_ms) == (3, 3, 8)
    assert common.example == RecordId("t", 0, 3)
    assert (common.worker, common.reason, common.event) == ("postgres", "defect", letter.event)
    assert (rare.count, rare.error, rare.example) == (1, "follows t/#/#", letter.record_id)


def test_a_first_letter_without_origin_is_itself_the_example() -> None:
    (group,) = Summary([failed(5), replace(failed(3), origin=None)]).groups
    assert group.example == letter.record_id


def test_the_earliest_are_kept_and_all_of_them_counted() -> None:
    earliest = Earliest(2)
    for at_ms in (5, 3, 9, 1, 3):
        earliest.add(failed(at_ms))
    assert [each.failed_at_ms for each in earliest.letters] == [1, 3]
    assert earliest.added == 5


def test_without_a_bound_all_are_kept_those_of_one_time_as_they_came() -> None:
    earliest = Earliest(None)
    came = [failed(5), failed(3, reason="a"), failed(3, reason="b")]
    for each in came:
        earliest.add(each)
    assert list(earliest.letters) == [came[1], came[2], came[0]]
