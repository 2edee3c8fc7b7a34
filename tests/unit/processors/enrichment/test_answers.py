"""Answers of lookups on their way to the reference topic."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from processors.enrichment.answers import AnswerPublisher
from processors.entities.table import ReferenceTable
from runtime.background_tasks import BackgroundTasks
from runtime.errors import RejectedError, TransientError
from schemas.reasons import DeadLetterReason
from schemas.reference_record import Snapshot
from tests.support.enrichment import MemoryTopic, user
from tests.support.fakes.zoom import VirtualClock
from tests.support.reference_records import delivery_of, snapshot

GIVEN_UP = "zcc_enrichment_answers_given_up_total"


class Bench:
    def __init__(self, background: BackgroundTasks) -> None:
        self.topic, self.clock = MemoryTopic(), VirtualClock()
        self.table = ReferenceTable(1_000_000, kinds=["user"])
        self.answers = AnswerPublisher(
            self.topic, self.table, topic="zcc.reference.v1", clock=self.clock
        )
        background.start(self.answers.run())

    def tell(self, snapshot: Snapshot) -> None:
        self.table.take(delivery_of(snapshot))
        self.table.settle()

    async def published(self) -> list[bytes | None]:
        for _ in range(20):
            await asyncio.sleep(0)
        return [record.key for record in self.topic.records]


@pytest.fixture
async def bench(background: BackgroundTasks) -> Bench:
    return Bench(background)


async def test_an_answer_is_published_as_a_snapshot(bench: Bench) -> None:
    answer = snapshot("U1", 5, user("U1", "Ann"))
    bench.answers.offer(answer)
    assert await bench.published() == [b"a:user:U1"]
    (record,) = bench.topic.records
    assert (record.topic, record.value) == ("zcc.reference.v1", answer.value)
    assert record.headers == answer.headers


@pytest.mark.parametrize(
    ("known", "news"),
    [
        (snapshot("U1", 4, user("U1", "old")), True),
        (snapshot("U1", 4, user("U1", "Ann")), False),
        (snapshot("U1", 6, user("U1", "newer")), False),
        (snapshot("U1", 6, None), False),
        (snapshot("U1", 4, None), True),
    ],
    ids=["changed", "the same", "newer known", "deleted meanwhile", "created again"],
)
async def test_only_news_are_published(bench: Bench, known: Snapshot, *, news: bool) -> None:
    bench.tell(known)
    bench.answers.offer(snapshot("U1", 5, user("U1", "Ann")))
    assert len(await bench.published()) == news


async def test_an_outage_delays_answers_and_keeps_their_order(bench: Bench) -> None:
    bench.topic.faults += [TransientError("down")] * 2
    bench.answers.offer(snapshot("U1", 5, user("U1", "Ann")))
    bench.answers.offer(snapshot("U2", 5, user("U2", "Ben")))
    assert await bench.published() == [b"a:user:U1", b"a:user:U2"]
    assert bench.clock.elapsed_s == 2.0


async def test_a_refused_answer_is_given_up_and_counted(bench: Bench) -> None:
    before = REGISTRY.get_sample_value(GIVEN_UP) or 0.0
    bench.topic.faults.append(RejectedError(DeadLetterReason.TOO_LARGE, "too large"))
    bench.answers.offer(snapshot("U1", 5, user("U1", "Ann")))
    bench.answers.offer(snapshot("U2", 5, user("U2", "Ben")))
    assert await bench.published() == [b"a:user:U2"]
    assert REGISTRY.get_sample_value(GIVEN_UP) == before + 1


async def test_of_very_many_waiting_answers_the_newest_stay(bench: Bench) -> None:
    before = REGISTRY.get_sample_value(GIVEN_UP) or 0.0
    bench.topic.may_publish.clear()
    bench.answers.offer(snapshot("first", 5, user("first", "Ann")))
    await bench.published()  # it is on its way, and waits
    for number in range(1010):
        bench.answers.offer(snapshot(f"U{number}", 5, user(f"U{number}", "Ben")))
    bench.answers.offer(snapshot("U1009", 6, user("U1009", "Bea")))
    bench.topic.may_publish.set()
    for _ in range(60):
        keys = await bench.published()
    assert REGISTRY.get_sample_value(GIVEN_UP) == before + 10
    assert (len(keys), keys[1], keys[-1]) == (1001, b"a:user:U10", b"a:user:U1009")
    assert b"Bea" in (bench.topic.records[-1].value or b"")
