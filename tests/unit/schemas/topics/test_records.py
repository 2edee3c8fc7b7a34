"""The record of each topic agrees with what the code does."""

from datetime import UTC, datetime
from importlib.resources import files

import orjson
import pytest

from ingest.webhook.routing import Quarantined, RoutedEvent, RoutingSettings, SignedRequest, decide
from runtime.pollers.watermarks import Watermarks
from runtime.retries.dead_letters import Failure, dead_letter
from runtime.retries.retry_topics import RetryTopic, RetryTopics
from runtime.values import Delivery, Record
from schemas.catalogue import events, example, unknown_family
from schemas.envelope import UnreadableError, read_envelope
from schemas.headers import error_header
from schemas.reasons import DeadLetterReason
from schemas.topics import (
    TopicPlan,
    all_families,
    dead_letter_audit_topic,
    dead_letter_topic,
    enriched_topics,
    outcome_topic,
    quarantine_topic,
    raw_topics,
    reference_topic,
    retry_topic,
    topic_specs,
    watermark_topic,
)
from schemas.topics.records import TopicRecord, _read, topic_records
from schemas.topics.terms import header_sets

plan = TopicPlan("p", 12, 5, 3, 7, 30, 400)
MIB = 1024 * 1024
records = topic_records()


def by_name(record: TopicRecord) -> str:
    return record.short_name


def test_every_topic_has_one_record_and_every_record_a_topic() -> None:
    names = [spec.name for spec in topic_specs(plan, {"w": (), "enrichment": (30,)}, pollers=["x"])]
    expected = {
        *raw_topics(prefix="p"),
        *enriched_topics(prefix="p"),
        quarantine_topic(prefix="p"),
        reference_topic(prefix="p"),
        outcome_topic(prefix="p"),
        dead_letter_topic("w", prefix="p"),
        dead_letter_topic("enrichment", prefix="p"),
        *(retry_topic("enrichment", delay_s, prefix="p") for delay_s in (30,)),
        dead_letter_audit_topic(prefix="p"),
        watermark_topic("x", prefix="p"),
    }
    assert sorted(names) == sorted(expected)


def test_raw_and_enriched_topic_of_a_family_stand_together() -> None:
    both = {record.family: (record.topic, record.kind) for record in records if record.family}
    assert list(both) == list(all_families)
    for family in all_families:
        raw, enriched = (record for record in records if record.family == family)
        assert raw.topic == f"{{prefix}}.{family}.v1"
        assert enriched.topic == f"{{prefix}}.enriched.{family}.v1"
        assert (raw.key, raw.partitions) == (enriched.key, enriched.partitions)


@pytest.mark.parametrize("record", [r for r in records if r.kind == "raw"], ids=by_name)
def test_the_key_is_that_of_the_events(record: TopicRecord) -> None:
    paths = dict.fromkeys(p for e in events.values() if e.family == record.family for p in e.key)
    assert record.key == f"account_id:{'|'.join(paths or ['engagement_id'])}"


@pytest.mark.parametrize("record", records, ids=by_name)
def test_the_example_is_one_of_the_topic(record: TopicRecord) -> None:
    content = files("schemas").joinpath(record.example).read_bytes()
    match record.kind:
        case "raw" if record.family == unknown_family:
            assert read_envelope(content).event not in events
        case "raw":
            assert events[read_envelope(content).event].family == record.family
        case "enriched":
            assert "enrichment" in orjson.loads(content)
        case "quarantine":
            with pytest.raises(UnreadableError):
                read_envelope(content)
        case "retry" | "dead-letter":
            assert read_envelope(content).event in events
        case "audit":
            assert orjson.loads(content)["action"] == "replayed"
        case "reference":
            assert orjson.loads(content)["entity"] == "user"
        case "outcome":
            assert orjson.loads(content)["entity"] == "engagement_outcome"
        case "watermarks":
            watermarks = Watermarks()
            watermarks.take(Delivery("w", 0, 0, b"feed:x", content, (), 0))
            assert watermarks["x"] is not None


@pytest.mark.parametrize("record", records, ids=by_name)
def test_a_body_of_the_largest_size_fits_with_what_is_added(record: TopicRecord) -> None:
    small = {"audit": 1, "reference": 1, "outcome": 1, "watermarks": 1}
    sizes = {"raw": 2, "quarantine": 2, "enriched": 4, "retry": 4, "dead-letter": 4, **small}
    assert record.max_message_bytes == sizes[record.kind] * MIB


def test_what_is_kept_for_ever_is_compacted_and_nothing_else() -> None:
    for spec in topic_specs(plan, {}):
        assert (spec.retention_ms == -1) == (spec.cleanup == "compact")


def test_outcomes_are_compacted_and_leave_with_the_events_that_they_are_of() -> None:
    specs = {spec.name: spec for spec in topic_specs(plan, {})}
    outcome, events_of = specs[outcome_topic(prefix="p")], specs["p.engagement.v1"]
    assert outcome.cleanup == "compact,delete"
    assert outcome.retention_ms == events_of.retention_ms
    assert outcome.partitions == events_of.partitions


def test_the_watermarks_of_a_poller_have_one_partition_so_that_one_member_is_active() -> None:
    specs = {spec.name: spec for spec in topic_specs(plan, {}, pollers=["w"])}
    assert specs[watermark_topic("w", prefix="p")].partitions == 1


def names_of(record: Record) -> set[str]:
    return {name for name, _ in record.headers}


def signed(body: bytes, *, traced: bool) -> SignedRequest:
    request = SignedRequest("app", body, b"secret", received_at_ms=1)
    if not traced:
        return request
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    return request._replace(request_id=b"request-1", traceparent=trace)


@pytest.mark.parametrize(
    ("kind", "body"), [("event", example("contact_center.user_login")), ("quarantine", b"no")]
)
def test_the_headers_are_those_that_ingest_writes(kind: str, body: bytes) -> None:
    routing = RoutingSettings("p", b"0123456789abcdef")
    declared = next(headers for name, headers in header_sets.items() if name == kind)
    for traced, expected in (
        (True, {header.name for header in declared}),
        (False, {header.name for header in declared if header.always}),
    ):
        made = decide(signed(body, traced=traced), routing)
        assert isinstance(made, RoutedEvent | Quarantined)
        only_refused = {error_header} if kind == "quarantine" else set()
        assert names_of(made.record) == expected - only_refused


def test_the_headers_of_retries_are_those_that_workers_write() -> None:
    delays = RetryTopics([RetryTopic("later", 30)])
    made = delays.following(Delivery("t", 0, 0, None, None, (), 0), now_ms=0)
    assert made is not None
    assert names_of(made) == {header.name for header in header_sets["retry"]}


@pytest.mark.parametrize(
    ("delay_s", "name"), [(30, "30s"), (90, "90s"), (120, "2m"), (3600, "1h"), (5400, "90m")]
)
def test_a_delay_is_written_in_its_largest_whole_unit(delay_s: int, name: str) -> None:
    assert retry_topic("w", delay_s, prefix="p") == f"p.retry.w.{name}.v1"


def test_the_headers_of_dead_letters_are_those_that_workers_write() -> None:
    failure = Failure("w", DeadLetterReason.DEFECT, "x", 1, datetime(2026, 1, 1, tzinfo=UTC))
    made = dead_letter(Delivery("t", 0, 0, None, None, (), 0), failure, topic="d")
    assert names_of(made) == {header.name for header in header_sets["dead-letter"]}


@pytest.mark.parametrize(
    ("file", "text", "cause"),
    [
        ("user.yaml", "topic: [", "schemas/topics/user.yaml: while parsing"),
        ("user.yaml", "kind: raw", "Field required"),
        ("user.yaml", None, "Extra inputs are not permitted"),
        ("team.yaml", "", "is a record of {prefix}.user.v1"),
    ],
)
def test_a_wrong_record_is_refused_by_the_name_of_its_file(
    file: str, text: str | None, cause: str
) -> None:
    right = files("schemas.topics").joinpath("user.yaml").read_text()
    wrong = f"{right}colour: red\n" if text is None else text or right
    with pytest.raises(ValueError, match="schemas/topics/") as refused:
        _read(file, wrong)
    assert cause in str(refused.value)
