"""What becomes of one event."""

import asyncio

import orjson
import pytest
from prometheus_client import REGISTRY

from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.references import queue_ids, user_ids
from processors.enrichment.settings import EnrichmentSettings
from runtime.background_tasks import BackgroundTasks
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.values import Deferred, Delivery, Record
from schemas.headers import Headers
from schemas.reasons import DeadLetterReason
from schemas.topics import all_families
from tests.support.fakes.zoom import MemoryLookup, VirtualClock
from tests.support.workers import simulated
from zoom.entities import Queue, User

headers: Headers = (
    ("ce_id", b"id-1"),
    ("zcc-revision", b"1"),
    ("zcc-event-id", b"id-1"),
    ("zcc-request-id", b"r"),
    ("other", b"\xff"),
)


class Bench:
    def __init__(
        self, background: BackgroundTasks, *, deadline_s: float = 0.05, **known: object
    ) -> None:
        settings = EnrichmentSettings(deadline_s=deadline_s)
        self.clock = VirtualClock()
        source = MemoryLookup(known)
        users = CachedLookup[str, User](
            source, settings, names=user_ids, background=background, clock=self.clock
        )
        queues = CachedLookup[str, Queue](
            source, settings, names=queue_ids, background=background, clock=self.clock
        )
        self.handler = EnrichmentHandler(
            users=users, queues=queues, topic_prefix="zcc", clock=self.clock
        )

    async def record(self, given: Delivery) -> Record:
        answer = await self.handler(given)
        (record,) = answer.records if isinstance(answer, Deferred) else answer
        return record

    async def member(self, **entity: object) -> dict[str, object]:
        record = await self.record(delivery(body(**entity)))
        assert record.value is not None
        member: dict[str, object] = orjson.loads(record.value)["enrichment"]
        return member


def body(**entity: object) -> bytes:
    return orjson.dumps(
        {"event": "e", "event_ts": 1, "payload": {"account_id": "a", "object": entity}}
    )


def delivery(
    value: bytes | None,
    *,
    topic: str = "zcc.engagement.v1",
    headers: Headers = headers,
    attempt: int = 1,
) -> Delivery:
    return Delivery(topic, 3, 7, b"a:e", value, headers, 1, attempt)


ann = User("Ann-ID", "Ann")
help_ = Queue("new", "old", "Help")


async def test_names_are_added_and_nothing_else_changes(background: BackgroundTasks) -> None:
    bench = Bench(background, **{"ann-id": ann, "old": help_})
    raw = body(user_id="ann-id", queue_id="old", note="nul \x00")
    record = await bench.record(delivery(raw))
    assert record.topic == "zcc.enriched.engagement.v1"
    assert record.key == b"a:e"
    assert sorted(record.headers) == sorted(headers)
    assert record.value is not None
    assert record.value.startswith(raw[:-1])
    assert orjson.loads(record.value) == orjson.loads(raw) | {
        "enrichment": {
            "status": "complete",
            "revision": 1,
            "users": {"ann-id": {"user_id": "Ann-ID", "display_name": "Ann"}},
            "queues": {"old": {"cc_queue_id": "new", "queue_name": "Help"}},
            "missing": [],
            "enriched_at": "2026-01-01T00:00:00.000Z",
        }
    }


@pytest.mark.parametrize("family", all_families)
async def test_every_raw_topic_has_its_enriched_topic(
    background: BackgroundTasks, family: str
) -> None:
    record = await Bench(background).record(delivery(body(), topic=f"zcc.{family}.v1"))
    assert record.topic == f"zcc.enriched.{family}.v1"


async def test_an_event_without_names_is_complete_at_once(background: BackgroundTasks) -> None:
    member = await Bench(background).member(engagement_id="e")
    assert (member["status"], member["users"], member["missing"]) == ("complete", {}, [])


async def test_a_user_is_found_by_the_id_in_lower_case_once_known(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background, **{"Ann-ID": ann})
    await bench.member(user_id="Ann-ID")
    member = await bench.member(user_id="ann-id")
    assert member["users"] == {"ann-id": {"user_id": "Ann-ID", "display_name": "Ann"}}


async def test_both_ids_of_a_queue_are_answered_by_one_lookup(background: BackgroundTasks) -> None:
    bench = Bench(background, new=help_)
    await bench.member(cc_queue_id="new")
    member = await bench.member(queue_id="old")
    assert member["queues"] == {"old": {"cc_queue_id": "new", "queue_name": "Help"}}


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
    bench = Bench(background, u=answer, q=help_)
    for _ in range(2):
        member = await bench.member(user_id="u", cc_queue_id="q")
        assert member["status"] == status
        assert member["missing"] == [{"entity": "user", "id": "u", "reason": reason}]
        assert member["queues"] == {"q": {"cc_queue_id": "new", "queue_name": "Help"}}


@simulated
async def test_an_event_waits_for_all_its_lookups_together() -> None:
    names = [f"u{number}" for number in range(50)]
    began_s = asyncio.get_running_loop().time()
    async with BackgroundTasks() as background:
        bench = Bench(background, deadline_s=0.5, **dict.fromkeys(names, "never"))
        member = await bench.member(user_ids=names)
    assert member["status"] == "partial"
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.5)


async def test_users_and_queues_of_one_id_are_two_things(background: BackgroundTasks) -> None:
    bench = Bench(background, x=ann)
    member = await bench.member(user_id="x", modified_by="x")
    assert member["users"] == {"x": {"user_id": "Ann-ID", "display_name": "Ann"}}
    assert member["queues"] == {}


@pytest.mark.parametrize(
    ("value", "given", "why"),
    [
        (None, headers, "no value"),
        (b"<html>", headers, "not_json"),
        (b"[1]", headers, "not_an_envelope"),
        (b'{"event":"e","payload":{"account_id":"a"}}', headers, "no_event_time"),
        (body(), (("ce_id", b"id-1"),), "zcc-event-id"),
        (body(), (("zcc-event-id", b""),), "zcc-event-id"),
    ],
)
async def test_what_the_raw_topic_does_not_promise_is_rejected(
    background: BackgroundTasks, value: bytes | None, given: Headers, why: str
) -> None:
    with pytest.raises(RejectedError, match=why) as caught:
        await Bench(background).handler(delivery(value, headers=given))
    assert caught.value.reason is DeadLetterReason.UNREADABLE


async def test_a_revision_is_written_where_the_receiver_left_it_out(
    background: BackgroundTasks,
) -> None:
    given = (("zcc-event-id", b"id-1"),)
    record = await Bench(background).record(delivery(body(), headers=given))
    assert record.headers == (("zcc-event-id", b"id-1"), ("zcc-revision", b"1"))


async def test_a_body_with_a_member_of_that_name_keeps_it_and_ours_counts(
    background: BackgroundTasks,
) -> None:
    raw = body()[:-1] + b',"enrichment":"theirs"}'
    record = await Bench(background).record(delivery(raw))
    assert record.value is not None
    assert record.value.startswith(raw[:-1])
    assert orjson.loads(record.value)["enrichment"]["revision"] == 1


async def test_events_and_lookups_are_counted(background: BackgroundTasks) -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"zcc_enrichment_{name}_total", labels) or 0.0

    def all_counted() -> list[float]:
        return [
            counted("lookups", entity="user", outcome="miss"),
            counted("lookups", entity="user", outcome="hit"),
            counted("lookups", entity="user", outcome="absent"),
            counted("lookups", entity="user", outcome="unknown"),
            counted("events", status="complete"),
            counted("events", status="partial"),
        ]

    bench = Bench(background, u=ann, v=None, w=TransientError("down"))
    before = all_counted()
    await bench.member(user_ids=["u", "v", "w"])
    await bench.member(user_id="u")
    grown = [after - was for after, was in zip(all_counted(), before, strict=True)]
    assert grown == [1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("answer", ["never", TransientError("down")])
async def test_what_may_be_known_soon_is_looked_at_again_later(
    background: BackgroundTasks, answer: object
) -> None:
    bench = Bench(background, u=answer)
    first = await bench.handler(delivery(body(user_id="u")))
    assert isinstance(first, Deferred)
    (record,) = first.records
    assert b'"status":"partial","revision":1' in (record.value or b"")


@pytest.mark.parametrize("answer", [ann, None, ConfigurationError("no scope")])
async def test_what_nobody_will_know_soon_is_looked_at_once(
    background: BackgroundTasks, answer: object
) -> None:
    bench = Bench(background, u=answer)
    assert not isinstance(await bench.handler(delivery(body(user_id="u"))), Deferred)


async def test_a_later_look_that_knows_all_sends_the_next_revision(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background, u=ann)
    before = REGISTRY.get_sample_value("zcc_enrichment_corrections_total") or 0.0
    later = await bench.handler(delivery(body(user_id="u"), attempt=3))
    assert not isinstance(later, Deferred)
    (record,) = later
    assert orjson.loads(record.value or b"")["enrichment"]["revision"] == 3
    kept = [header for header in headers if header[0] not in {"ce_id", "zcc-revision"}]
    changed = [("ce_id", b"id-1-r3"), ("zcc-revision", b"3")]
    assert sorted(record.headers) == sorted([*kept, *changed])
    assert REGISTRY.get_sample_value("zcc_enrichment_corrections_total") == before + 1


@pytest.mark.parametrize("answer", ["never", TransientError("down")])
async def test_a_later_look_waits_for_the_api_as_long_as_it_takes(
    background: BackgroundTasks, answer: object
) -> None:
    bench = Bench(background, u=answer, q=help_)
    with pytest.raises(TransientError, match="not known"):
        await bench.handler(delivery(body(user_id="u", cc_queue_id="q"), attempt=2))


async def test_drift_and_status_are_counted_at_the_first_look_only(
    background: BackgroundTasks,
) -> None:
    def counted() -> list[float]:
        return [
            REGISTRY.get_sample_value("zcc_enrichment_events_total", {"status": "complete"}) or 0.0,
            REGISTRY.get_sample_value(
                "zcc_schema_drift_total", {"event": "unknown", "kind": "unknown_event"}
            )
            or 0.0,
        ]

    bench = Bench(background)
    before = counted()
    await bench.handler(delivery(body(), attempt=2))
    assert counted() == before
    await bench.handler(delivery(body()))
    assert counted() == [before[0] + 1, before[1] + 1]
