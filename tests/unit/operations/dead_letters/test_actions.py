"""What may be done about a dead letter, and the line that says that it was done."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

import orjson
import pytest
from pydantic import ValidationError

from operations.dead_letters.actions import (
    Act,
    ActionRefused,
    ReplayRules,
    discard,
    line_of,
    to_origin,
    to_worker,
)
from operations.dead_letters.audit import (
    AuditLine,
    Handling,
    LetterName,
    name_of,
    read_line,
    record_of,
)
from operations.dead_letters.letter import RecordId, letter_of
from runtime.retries.dead_letters import Failure, dead_letter
from runtime.retries.retry_topics import RetryTopic, RetryTopics, due_ms
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.asyncapi import asyncapi
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicPlan, dead_letter_topic, retry_topic

FAILED_AT = datetime(2026, 1, 15, 9, 30, 0, 123_000, tzinfo=UTC)
NOW_MS = 1_768_470_000_000

original = Delivery(
    topic="p.engagement.v1",
    partition=2,
    offset=17,
    key=b"account:engagement",
    value=b'{"event": "\xf0\x9f\x98\x80" }',
    headers=(("ce_id", b"id"), ("odd", b"\xff"), ("odd", b"")),
    timestamp_ms=1,
)
retry = retry_topic("enrichment", 10, prefix="p")
rules = ReplayRules("p", max_replays=3, partitions={"p.engagement.v1": 3, retry: 2})


def dead_letter_of(delivery: Delivery, *, worker: str = "enrichment") -> Delivery:
    """The dead letter of a delivery, as it is read from its topic."""
    failure = Failure(worker, DeadLetterReason.DEFECT, "no such row", 3, FAILED_AT)
    made = dead_letter(delivery, failure, topic=dead_letter_topic(worker, prefix="p"))
    return Delivery(made.topic, 0, 5, made.key, made.value, made.headers, 9)


read = dead_letter_of(original)
letter = letter_of(read, worker="enrichment")
act = Act("replayed", Record("p.engagement.v1", b"k", b"v"), 1)


def sent(verdict: Act | ActionRefused) -> Record:
    assert isinstance(verdict, Act)
    assert verdict.record is not None
    return verdict.record


def test_a_record_goes_back_as_it_was_read_with_the_count_of_replays() -> None:
    assert sent(to_origin(read, letter, rules)) == Record(
        "p.engagement.v1",
        original.key,
        original.value,
        (*original.headers, ("zcc-replays", b"1")),
        partition=2,
    )


def test_each_replay_is_counted_until_the_bound() -> None:
    delivery, verdicts = original, []
    for offset in range(4):
        again = dead_letter_of(delivery)
        verdict = to_origin(again, letter_of(again, worker="enrichment"), rules)
        verdicts.append(verdict)
        if isinstance(verdict, Act):
            record = sent(verdict)
            delivery = replace(original, offset=offset, headers=record.headers)
    assert [verdict.replays for verdict in verdicts if isinstance(verdict, Act)] == [1, 2, 3]
    assert verdicts[-1] == ActionRefused(
        "replayed 3 times already: fix the cause, then raise --max-replays"
    )
    assert delivery.headers == (*original.headers, ("zcc-replays", b"3"))


def test_the_bound_holds_for_the_worker_alone_too() -> None:
    often = replace(letter, replays=3)
    assert isinstance(to_worker(read, often, rules, now_ms=NOW_MS), ActionRefused)


def test_the_key_decides_where_the_old_partition_is_gone() -> None:
    fewer = replace(rules, partitions={"p.engagement.v1": 2})
    assert sent(to_origin(read, letter, fewer)).partition is None


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        (None, "its headers do not say where it was read"),
        (RecordId("elsewhere", 0, 1), "elsewhere is not a topic of this deployment"),
    ],
)
def test_a_record_that_belongs_nowhere_is_refused(origin: RecordId | None, why: str) -> None:
    assert to_origin(read, replace(letter, origin=origin), rules) == ActionRefused(why)


def test_the_worker_alone_sees_a_record_of_its_retry_topic_as_it_was_first_read() -> None:
    verdict = to_worker(read, letter, rules, now_ms=NOW_MS)
    record = sent(verdict)
    assert (record.topic, record.partition) == (retry, None)
    waiting = Delivery(retry, 0, 0, record.key, record.value, record.headers, 0)
    assert due_ms(waiting) == NOW_MS
    delays = RetryTopics([RetryTopic(retry, 10.0)])
    assert delays.restore_original(waiting) == replace(
        original, headers=(*original.headers, ("zcc-replays", b"1")), timestamp_ms=0
    )
    assert delays.since(waiting, now_ms=NOW_MS) == "2026-01-15T09:30:00.123Z"


def test_a_worker_without_a_retry_topic_is_not_reached_alone() -> None:
    other = letter_of(dead_letter_of(original, worker="postgres"), worker="postgres")
    assert to_worker(read, other, rules, now_ms=NOW_MS) == ActionRefused(
        "postgres has no retry topic: send it to the original topic"
    )


def test_a_retry_topic_that_does_not_exist_is_not_used() -> None:
    missing = replace(rules, partitions={})
    assert to_worker(read, letter, missing, now_ms=NOW_MS) == ActionRefused(
        f"{retry} does not exist: `zcc topics apply` creates it"
    )


def test_a_letter_without_origin_goes_to_no_worker() -> None:
    assert to_worker(read, replace(letter, origin=None), rules, now_ms=NOW_MS) == ActionRefused(
        "its headers do not say where it was read"
    )


def test_discarding_sends_nothing() -> None:
    assert discard(read, letter) == Act("discarded", None, 0)


def test_a_line_tells_all_and_is_read_as_it_was_written() -> None:
    line = line_of(letter, act, by="ann", at="2026-01-15T11:00:00.000Z", reason="mended")
    assert line == AuditLine(
        letter="p.dead-letter.enrichment.v1/0/5",
        failed_at="2026-01-15T09:30:00.123Z",
        worker="enrichment",
        origin="p.engagement.v1/2/17",
        fingerprint=letter.fingerprint,
        action="replayed",
        to="p.engagement.v1",
        replays=1,
        by="ann",
        at="2026-01-15T11:00:00.000Z",
        reason="mended",
    )
    record = record_of(line, topic="audit")
    assert (record.topic, record.key) == ("audit", b"p.dead-letter.enrichment.v1/0/5")
    assert read_line(record.value) == (
        name_of(letter),
        Handling("replayed", "ann", "2026-01-15T11:00:00.000Z", "mended"),
    )


def test_a_line_of_a_discard_names_no_topic() -> None:
    line = line_of(
        replace(letter, origin=None), Act("discarded", None, 0), by="a", at="", reason=""
    )
    assert (line.to, line.origin, line.action) == ("", "", "discarded")


def test_lines_are_kept_longer_than_the_letters_that_they_are_about() -> None:
    enough = KafkaSettings(dead_letter_retention_days=30, audit_retention_days=37)
    assert enough.topic_plan.audit_retention_days == 37
    with pytest.raises(ValidationError, match="ZCC_KAFKA_AUDIT_RETENTION_DAYS must exceed"):
        KafkaSettings(dead_letter_retention_days=30, audit_retention_days=36)


def test_a_letter_of_a_topic_that_was_made_again_is_another() -> None:
    assert name_of(replace(letter, failed_at_ms=letter.failed_at_ms + 1)) != name_of(letter)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"no line",
        b"{}",
        orjson.dumps({**orjson.loads(record_of(line_of(letter, act, by="a", at="", reason=""),
            topic="t").value or b""), "action": "burnt"}),
        orjson.dumps({**orjson.loads(record_of(line_of(letter, act, by="a", at="", reason=""),
            topic="t").value or b""), "letter": "nowhere"}),
    ],
)  # fmt: skip
def test_what_is_no_line_says_nothing(value: bytes | None) -> None:
    assert read_line(value) is None


def test_a_member_of_tomorrow_is_passed_over() -> None:
    content = files("schemas").joinpath("topics/examples/dead-letter-audit.json").read_bytes()
    newer = orjson.dumps(orjson.loads(content) | {"approved_by": "bob"})
    name, handling = read_line(newer) or (None, None)
    assert name == LetterName(
        RecordId("zcc.dead-letter.postgres.v1", 2, 17), "2026-01-15T09:30:00.123Z"
    )
    assert handling is not None
    assert handling.by == "example-operator"


def test_the_contract_has_every_member_of_a_line() -> None:
    document = asyncapi(TopicPlan("p", 1, 1, 1, 1, 1, 8), {"w": ()})
    contract = str(document["components"])
    content = files("schemas").joinpath("topics/examples/dead-letter-audit.json").read_bytes()
    assert set(orjson.loads(content)) == set(AuditLine.__slots__)
    for member in AuditLine.__slots__:
        assert f"'{member}': {{'type'" in contract
