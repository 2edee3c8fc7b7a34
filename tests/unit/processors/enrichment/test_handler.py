"""What becomes of one event."""

import asyncio

import orjson
import pytest
from prometheus_client import REGISTRY

from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.service import no_names
from runtime.background_tasks import BackgroundTasks
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.values import Deferred
from schemas.headers import Headers
from schemas.reasons import DeadLetterReason
from schemas.topics import all_families
from tests.support.enrichment import (
    HEADERS,
    EnrichmentBench,
    member_of,
    queue,
    raw_body,
    raw_delivery,
    user,
)
from tests.support.fakes.zoom import VirtualClock

ANN = user("Ann-ID", "Ann")
HELP = queue("new", "old", "Help")


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_names_are_added_and_nothing_else_changes(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, {"ann-id": ANN, "old": HELP})
    raw = raw_body(user_id="ann-id", queue_id="old", note="nul \x00")
    record = await bench.record(raw_delivery(raw))
    assert record.topic == "zcc.enriched.engagement.v1"
    assert record.key == b"a:e"
    assert record.headers == HEADERS
    assert record.value is not None
    assert record.value.startswith(raw[:-1])
    assert orjson.loads(record.value) == orjson.loads(raw) | {
        "enrichment": {
            "status": "complete",
            "revision": 1,
            "enriched_at": "2026-01-01T00:00:00.000Z",
            "entities": {
                "user": {
                    "ann-id": {"user_id": "Ann-ID", "display_name": "Ann", "role_name": "Agent"}
                },
                "queue": {"old": {"cc_queue_id": "new", "queue_name": "Help"}},
            },
            "missing": [],
            "users": {"ann-id": {"user_id": "Ann-ID", "display_name": "Ann"}},
            "queues": {"old": {"cc_queue_id": "new", "queue_name": "Help"}},
        }
    }


@pytest.mark.parametrize("family", all_families)
async def test_every_raw_topic_has_its_enriched_topic(
    background: BackgroundTasks, family: str
) -> None:
    given = raw_delivery(raw_body(), topic=f"zcc.{family}.v1")
    record = await EnrichmentBench(background).record(given)
    assert record.topic == f"zcc.enriched.{family}.v1"


async def test_an_event_without_names_is_complete_at_once(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background)
    member = await bench.member(engagement_id="e")
    assert (member["status"], member["entities"], member["missing"]) == ("complete", {}, [])
    assert bench.api.keys == []


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (None, "absent", "complete"),
        ("never", "deadline", "partial"),
        (TransientError("down"), "unavailable", "partial"),
        (ConfigurationError("no scope"), "forbidden", "partial"),
    ],
)
async def test_a_name_that_is_not_known_is_missing_and_the_event_goes_out(
    background: BackgroundTasks, answer: object, reason: str, status: str
) -> None:
    bench = EnrichmentBench(background, {"u": answer, "q": HELP})
    before = counted("zcc_enrichment_partial_total", reason=reason)
    for _ in range(2):
        member = await bench.member(user_id="u", cc_queue_id="q")
        assert member["status"] == status
        assert member["missing"] == [{"entity": "user", "id": "u", "reason": reason}]
        assert member["queues"] == {"q": {"cc_queue_id": "new", "queue_name": "Help"}}
    grown = counted("zcc_enrichment_partial_total", reason=reason) - before
    assert grown == (2 if status == "partial" else 0)


async def test_an_event_that_has_waited_before_asks_and_does_not_wait(
    background: BackgroundTasks,
) -> None:
    bench = EnrichmentBench(background, {"u": "never"}, deadline_s=3600.0)
    old = raw_delivery(raw_body(user_id="u"), age_s=3600.0)
    member = member_of(await bench.record(old))
    assert member["missing"] == [{"entity": "user", "id": "u", "reason": "deadline"}]
    assert [key.id for key in bench.api.keys] == ["u"]


async def test_an_event_from_a_clock_that_is_ahead_waits_for_one_deadline(
    background: BackgroundTasks,
) -> None:
    bench = EnrichmentBench(background, {"u": "never"})
    member = member_of(await bench.record(raw_delivery(raw_body(user_id="u"), age_s=-3600.0)))
    assert member["missing"] == [{"entity": "user", "id": "u", "reason": "deadline"}]


async def test_a_later_attempt_waits_whatever_the_age_of_its_event(
    background: BackgroundTasks,
) -> None:
    bench = EnrichmentBench(background, {"u": "never"}, deadline_s=3600.0)
    old = raw_delivery(raw_body(user_id="u"), age_s=3600.0, attempt=2)
    handling = asyncio.ensure_future(bench.handler(old))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not handling.done()
    handling.cancel()


async def test_without_credentials_an_event_passes_as_skipped() -> None:
    handler = EnrichmentHandler(no_names, attempts=1, topic_prefix="zcc", clock=VirtualClock())
    before = counted("zcc_enrichment_events_total", status="skipped")
    raw = raw_body(user_id="u")
    answer = await handler(raw_delivery(raw))
    assert not isinstance(answer, Deferred)
    (record,) = answer
    assert (record.value or b"").startswith(raw[:-1])
    assert member_of(record)["status"] == "skipped"
    assert counted("zcc_enrichment_events_total", status="skipped") == before + 1


@pytest.mark.parametrize(
    ("value", "given", "why"),
    [
        (None, HEADERS, "no value"),
        (b"<html>", HEADERS, "not_json"),
        (b"[1]", HEADERS, "not_an_envelope"),
        (b'{"event":"e","payload":{"account_id":"a"}}', HEADERS, "no_event_time"),
        (raw_body(), (("ce_id", b"id-1"),), "zcc-event-id"),
        (raw_body(), (("zcc-event-id", b""),), "zcc-event-id"),
    ],
)
async def test_what_the_raw_topic_does_not_promise_is_rejected(
    background: BackgroundTasks, value: bytes | None, given: Headers, why: str
) -> None:
    with pytest.raises(RejectedError, match=why) as caught:
        await EnrichmentBench(background).handler(raw_delivery(value, headers=given))
    assert caught.value.reason is DeadLetterReason.UNREADABLE


async def test_a_revision_is_written_where_the_receiver_left_it_out(
    background: BackgroundTasks,
) -> None:
    given = (("zcc-event-id", b"id-1"),)
    record = await EnrichmentBench(background).record(raw_delivery(raw_body(), headers=given))
    assert record.headers == (("zcc-event-id", b"id-1"), ("zcc-revision", b"1"))


async def test_a_body_with_a_member_of_that_name_keeps_it_and_ours_counts(
    background: BackgroundTasks,
) -> None:
    raw = raw_body()[:-1] + b',"enrichment":"theirs"}'
    record = await EnrichmentBench(background).record(raw_delivery(raw))
    assert (record.value or b"").startswith(raw[:-1])
    assert member_of(record)["revision"] == 1


@pytest.mark.parametrize("answer", ["never", TransientError("down")])
async def test_what_may_be_known_soon_is_looked_at_again_later(
    background: BackgroundTasks, answer: object
) -> None:
    bench = EnrichmentBench(background, {"u": answer})
    first = await bench.handler(raw_delivery(raw_body(user_id="u")))
    assert isinstance(first, Deferred)
    (record,) = first.records
    assert (member_of(record)["status"], member_of(record)["revision"]) == ("partial", 1)


@pytest.mark.parametrize("answer", [ANN, None, ConfigurationError("no scope")])
async def test_what_nobody_will_know_soon_is_looked_at_once(
    background: BackgroundTasks, answer: object
) -> None:
    bench = EnrichmentBench(background, {"u": answer})
    assert not isinstance(await bench.handler(raw_delivery(raw_body(user_id="u"))), Deferred)


async def test_a_later_attempt_that_settles_all_is_the_next_revision(
    background: BackgroundTasks,
) -> None:
    bench = EnrichmentBench(background, {"u": ANN})
    before = counted("zcc_enrichment_corrections_total")
    later = await bench.handler(raw_delivery(raw_body(user_id="u"), attempt=3))
    assert not isinstance(later, Deferred)
    (record,) = later
    assert member_of(record)["revision"] == 3
    kept = [header for header in HEADERS if header[0] not in {"ce_id", "zcc-revision"}]
    changed = [("ce_id", b"id-1-r3"), ("zcc-revision", b"3")]
    assert sorted(record.headers) == sorted([*kept, *changed])
    assert counted("zcc_enrichment_corrections_total") == before + 1


@pytest.mark.parametrize("answer", ["never", TransientError("down")])
async def test_a_later_attempt_that_settles_not_all_is_followed_by_another(
    background: BackgroundTasks, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.enrichment.handler._later_deadline_s", 0.05)
    bench = EnrichmentBench(background, {"u": answer, "q": HELP})
    body = raw_body(user_id="u", cc_queue_id="q")
    assert await bench.handler(raw_delivery(body, attempt=2)) == Deferred()


@pytest.mark.parametrize("answer", ["never", TransientError("down")])
async def test_the_last_attempt_waits_for_the_api_as_long_as_it_takes(
    background: BackgroundTasks, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.enrichment.handler._later_deadline_s", 0.05)
    bench = EnrichmentBench(background, {"u": answer, "q": HELP})
    body = raw_body(user_id="u", cc_queue_id="q")
    with pytest.raises(TransientError, match="not known"):
        await bench.handler(raw_delivery(body, attempt=3))


async def test_drift_and_status_are_counted_at_the_first_attempt_only(
    background: BackgroundTasks,
) -> None:
    def both() -> list[float]:
        return [
            counted("zcc_enrichment_events_total", status="complete"),
            counted("zcc_schema_drift_total", event="unknown", kind="unknown_event"),
        ]

    bench = EnrichmentBench(background)
    before = both()
    await bench.handler(raw_delivery(raw_body(), attempt=2))
    assert both() == before
    await bench.handler(raw_delivery(raw_body()))
    assert both() == [before[0] + 1, before[1] + 1]
