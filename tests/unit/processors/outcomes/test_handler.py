"""What becomes of the end of an engagement, attempt by attempt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from processors.entities.settings import EventFieldSettings
from processors.entities.table import ReferenceTable
from processors.outcomes.dataset import DatasetRows
from processors.outcomes.handler import OutcomeHandler
from processors.outcomes.member import EnrichedBodies
from processors.outcomes.parts import Part
from processors.outcomes.questions import Questions
from processors.outcomes.settings import OutcomeSettings
from runtime.values import Deferred, Delivery, Record
from tests.support.engagement_api import (
    ANOTHER,
    DETAILS,
    DOCUMENTS,
    ENGAGEMENT,
    EngagementApi,
)
from tests.support.fakes.zoom import reply
from zoom.errors import UnavailableError, ZoomFault

ATTEMPTS = 5
OUTCOMES, ENRICHED = "zcc.engagement-outcome.v1", "zcc.enriched.engagement.v1"


class Bench:
    """A handler, the API that it asks, and the events of one engagement."""

    def __init__(self, *parts: str, **settings: Any) -> None:
        self.api = EngagementApi()
        chosen = OutcomeSettings.model_validate({"parts": parts or "timeline,survey"} | settings)
        self.dataset = DatasetRows(
            self.api.client, interval_s=1.0, allowed=chosen.allowed, clock=self.api.clock
        )
        questions = Questions(
            self.api.client, self.dataset, allowed=chosen.allowed, clock=self.api.clock
        )
        table = ReferenceTable(10**6, kinds=["flow"])
        self._handler: Callable[[], OutcomeHandler] = lambda: OutcomeHandler(
            {"an-account": questions}.get,
            chosen,
            enrich=EnrichedBodies(table, EventFieldSettings().event_fields),
            attempts=ATTEMPTS,
            topic_prefix="zcc",
            clock=self.api.clock,
        )
        self.handler = self._handler()
        self.ended = self.event("engagement_ended", offset=1)
        self.ready = self.event("cx_engagement_end_data_ready", offset=2)

    def restart(self) -> None:
        """The process starts again, and remembers nothing."""
        self.handler = self._handler()

    def event(self, name: str, *, offset: int = 0, body: bytes | None = None) -> Delivery:
        headers = (
            ("ce_type", f"contact_center.{name}".encode()),
            ("ce_id", b"id"),
            ("zcc-event-id", b"id"),
            ("zcc-revision", b"1"),
        )
        value = self.api.ended_body(name) if body is None else body
        return Delivery("zcc.engagement.v1", 0, offset, b"an-account:E1", value, headers, 0)

    async def attempt(self, event: Delivery, number: int) -> tuple[list[Record], bool]:
        """The records of an attempt, and whether another one follows."""
        answer = await self.handler(replace(event, attempt=number))
        if isinstance(answer, Deferred):
            return list(answer.records), True
        return list(answer), False


def topics(records: list[Record]) -> list[str]:
    return [record.topic for record in records]


def values(records: list[Record]) -> list[Any]:
    return [orjson.loads(record.value or b"") for record in records]


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"zcc_outcomes_{name}", labels) or 0.0


@pytest.mark.parametrize(
    "name",
    ["engagement_ended", "legacy_engagement_end_data_ready", "cx_engagement_end_data_ready"],
)
async def test_the_first_attempt_asks_nobody_and_waits(name: str) -> None:
    bench = Bench()
    assert await bench.attempt(bench.event(name), 1) == ([], True)
    assert bench.api.calls == []


@pytest.mark.parametrize(
    "name",
    ["engagement_user_ended", "engagement_consumer_ended", "engagement_wrap_up_ended", "unknown"],
)
async def test_other_events_are_done_at_once(name: str) -> None:
    bench = Bench()
    assert await bench.attempt(bench.event(name), 1) == ([], False)


async def test_a_later_attempt_publishes_the_outcome_and_a_revision_of_the_event() -> None:
    bench = Bench()
    bench.api.clock.elapsed_s += 5
    records, again = await bench.attempt(bench.ended, 2)
    assert not again
    assert topics(records) == [OUTCOMES, ENRICHED]
    assert [record.key for record in records] == [bench.ended.key] * 2
    snapshot, revised = values(records)
    assert snapshot["engagement_id"] == ENGAGEMENT
    assert (snapshot["account_id"], snapshot["status"]) == ("an-account", "complete")
    assert snapshot["outcome"]["durations"] == {"talking_ms": 5_000}
    assert (records[1].value or b"").startswith((bench.ended.value or b"")[:-1])
    assert revised["enrichment"]["revision"] == 105
    assert revised["enrichment"]["outcome"]["durations"] == {"talking_ms": 5_000}
    assert dict(records[1].headers)["ce_id"] == b"id-r105"
    assert set(bench.api.calls) == {Part.DETAILS, Part.TIMELINE, Part.SURVEY}


async def test_the_announcement_and_the_end_ask_once_together() -> None:
    for first, second in (("ended", "ready"), ("ready", "ended")):
        bench = Bench()
        records, _ = await bench.attempt(getattr(bench, first), 2)
        calls = len(bench.api.calls)
        later, again = await bench.attempt(getattr(bench, second), 2)
        assert len(bench.api.calls) == calls
        assert not again
        assert sorted(topics(records + later)) == [OUTCOMES, ENRICHED]


async def test_an_engagement_whose_end_no_event_tells_has_a_snapshot_without_a_revision() -> None:
    bench = Bench()
    records, again = await bench.attempt(bench.ready, 2)
    assert (topics(records), again) == ([OUTCOMES], False)


async def test_details_that_come_late_are_requested_for_until_they_are_there() -> None:
    bench = Bench()
    bench.api.answers[Part.DETAILS] = reply(200, {})
    for number in (2, 3):
        assert await bench.attempt(bench.ended, number) == ([], True)
    assert set(bench.api.calls) == {Part.DETAILS}
    bench.api.answers[Part.DETAILS] = reply(200, DETAILS)
    records, again = await bench.attempt(bench.ended, 4)
    assert (topics(records), again) == ([OUTCOMES, ENRICHED], False)


async def test_details_that_never_come_end_as_unavailable_and_not_as_a_dead_letter() -> None:
    bench = Bench()
    bench.api.answers[Part.DETAILS] = reply(200, {})
    for number in range(2, ATTEMPTS):
        assert await bench.attempt(bench.ended, number) == ([], True)
    records, again = await bench.attempt(bench.ended, ATTEMPTS)
    assert (topics(records), again) == ([OUTCOMES], False)
    (snapshot,) = values(records)
    assert (snapshot["status"], snapshot["outcome"]) == ("unavailable", {})
    assert snapshot["missing"] == [{"part": "details", "reason": "not_ready"}]


async def test_after_its_time_an_engagement_is_given_up() -> None:
    bench = Bench(give_up_s=10.0)
    bench.api.answers[Part.DETAILS] = reply(200, {})
    bench.api.clock.elapsed_s += 11
    records, again = await bench.attempt(bench.ended, 2)
    assert (topics(records), again) == ([OUTCOMES], False)


async def test_forbidden_details_are_unavailable_at_once() -> None:
    bench = Bench()
    bench.api.answers[Part.DETAILS] = reply(403, {"code": 9001})
    records, again = await bench.attempt(bench.ended, 2)
    assert (topics(records), again) == ([OUTCOMES], False)
    assert values(records)[0]["missing"] == [{"part": "details", "reason": "forbidden"}]


async def test_a_part_that_fails_is_missing_and_a_later_attempt_brings_it() -> None:
    bench = Bench()
    bench.api.answers[Part.SURVEY] = reply(503)
    records, again = await bench.attempt(bench.ended, 2)
    assert again
    assert [value.get("status") for value in values(records)] == ["partial", None]
    bench.api.answers[Part.SURVEY] = reply(200, DOCUMENTS[Part.SURVEY])
    bench.api.calls.clear()
    bench.api.clock.elapsed_s += 10
    records, again = await bench.attempt(bench.ended, 3)
    assert (topics(records), again) == ([OUTCOMES, ENRICHED], False)
    assert bench.api.calls == [Part.SURVEY], "what is known is not asked again"
    snapshot, revised = values(records)
    assert (snapshot["status"], snapshot["missing"]) == ("complete", [])
    assert snapshot["outcome"]["timeline"] == [{"event_name": "answered"}]
    assert revised["enrichment"]["revision"] == 110


async def test_a_part_that_keeps_failing_is_requested_for_a_limited_number_of_times() -> None:
    bench = Bench()
    bench.api.answers[Part.SURVEY] = reply(503)
    published = []
    for number in range(2, ATTEMPTS + 1):
        records, again = await bench.attempt(bench.ended, number)
        published += topics(records)
        assert again == (number < ATTEMPTS)
    assert published == [OUTCOMES, ENRICHED], "nothing new, nothing published"


async def test_in_an_outage_the_attempt_waits_and_loses_nothing() -> None:
    bench = Bench()
    bench.api.answers[Part.DETAILS] = reply(503)
    for _ in range(8):
        with pytest.raises(UnavailableError):
            await bench.attempt(bench.ended, 2)
        bench.api.clock.elapsed_s += 15
    bench.api.answers[Part.DETAILS] = reply(200, DETAILS)
    records, again = await bench.attempt(bench.ended, 2)
    assert (topics(records), again) == ([OUTCOMES, ENRICHED], False)


async def test_an_engagement_that_fails_alone_is_given_up_and_holds_up_no_other() -> None:
    bench = Bench()
    bench.api.answers[Part.DETAILS] = reply(503)
    with pytest.raises(UnavailableError):
        await bench.attempt(bench.ended, 2)
    bench.api.clock.elapsed_s += 1
    another = (bench.ended.value or b"").replace(ENGAGEMENT.encode(), ANOTHER.encode())
    other = replace(bench.ended, key=b"another", value=another)
    assert await bench.attempt(other, 2) == ([], True), "Zoom answers about it"
    for number in range(2, ATTEMPTS):
        assert await bench.attempt(bench.ended, number) == ([], True)
    records, again = await bench.attempt(bench.ended, ATTEMPTS)
    assert (topics(records), again) == ([OUTCOMES], False)
    assert values(records)[0]["missing"] == [{"part": "details", "reason": "unavailable"}]


async def test_over_the_limit_the_attempt_waits_and_keeps_the_answers_that_came() -> None:
    bench = Bench()
    bench.api.answers[Part.SURVEY] = reply(429, {"code": 4001})
    with pytest.raises(UnavailableError) as waits:
        await bench.attempt(bench.ended, 2)
    assert waits.value.fault is ZoomFault.RATE_LIMITED
    bench.api.answers[Part.SURVEY] = reply(444, {"code": 444})
    bench.api.calls.clear()
    bench.api.clock.elapsed_s += 5
    records, _ = await bench.attempt(bench.ended, 2)
    assert bench.api.calls == [Part.SURVEY]
    assert values(records)[0]["outcome"]["survey"] == {"answered": False}


async def test_exact_durations_come_with_a_later_attempt() -> None:
    bench = Bench("dataset")
    records, again = await bench.attempt(bench.ended, 2)
    assert again
    assert values(records)[0]["missing"] == [{"part": "dataset", "reason": "not_ready"}]
    await bench.dataset.ask_once()
    records, again = await bench.attempt(bench.ended, 3)
    assert not again
    assert values(records)[0]["outcome"]["durations"] == {"talking_ms": 5_000, "hold_ms": 7}


async def test_an_attempt_that_comes_again_repeats_its_records() -> None:
    bench = Bench()
    records, _ = await bench.attempt(bench.ended, 2)
    repeated, _ = await bench.attempt(bench.ended, 2)
    assert topics(repeated) == topics(records)
    assert values(repeated)[0] == values(records)[0]


async def test_after_a_restart_the_attempts_go_on_and_say_the_same() -> None:
    bench = Bench()
    bench.api.answers[Part.SURVEY] = reply(503)
    first, _ = await bench.attempt(bench.ended, 2)
    bench.restart()
    bench.api.answers[Part.SURVEY] = reply(200, DOCUMENTS[Part.SURVEY])
    bench.api.clock.elapsed_s += 20
    second, again = await bench.attempt(bench.ended, 3)
    assert (topics(second), again) == ([OUTCOMES, ENRICHED], False)
    numbers = [value["enrichment"]["revision"] for value in values([first[1], second[1]])]
    assert numbers == [100, 120], "a later answer has the higher revision, over a restart too"
    assert values(second)[0]["as_of"] > values(first)[0]["as_of"]


async def test_engagements_of_an_account_without_credentials_are_skipped() -> None:
    bench = Bench()
    body = (bench.ended.value or b"").replace(b"an-account", b"another")
    before = count("skipped_total", reason="account")
    event = bench.event("engagement_ended", body=body)
    assert await bench.attempt(event, 1) == ([], False)
    assert count("skipped_total", reason="account") == before + 1


def envelope(engagement: str) -> bytes:
    payload = b'{"account_id":"an-account","object":{%b}}' % engagement.encode()
    return b'{"event":"e","event_ts":1,"payload":%b}' % payload


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        envelope(""),
        envelope('"engagement_id":".."'),
        envelope('"engagement_id":7'),
    ],
    ids=["no json", "no envelope", "no id", "a path", "a number"],
)
async def test_an_end_of_nothing_that_could_be_requested_for_is_passed_over(body: bytes) -> None:
    bench = Bench()
    before = count("skipped_total", reason="unreadable")
    assert await bench.attempt(bench.event("engagement_ended", body=body), 1) == ([], False)
    assert count("skipped_total", reason="unreadable") == before + 1


async def test_an_empty_record_is_passed_over() -> None:
    bench = Bench()
    empty = replace(bench.ended, value=None)
    assert await bench.attempt(empty, 1) == ([], False)


async def test_what_is_published_is_counted_by_status() -> None:
    bench = Bench()
    before = count("snapshots_total", status="complete"), count("revisions_total")
    await bench.attempt(bench.ended, 2)
    after = count("snapshots_total", status="complete"), count("revisions_total")
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]
    assert count("delay_seconds_count") >= 1
    assert count("remembered_bytes") > 0
