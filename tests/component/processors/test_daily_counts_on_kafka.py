"""Daily counts of the REST budget are found again in the topic of reference entities."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from processors.daily_counts import KafkaDailyCounts
from runtime.clock import SystemClock
from runtime.errors import RejectedError, TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.member_share import sole_member
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.models.reference import ApiBudgetReference
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicSpec, reference_topic
from sinks.postgres.model.references import read_reference
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from zoom.limits import Label, Priority
from zoom.rate_limits.daily_quota import DailyBudget
from zoom.rate_limits.daily_share import Count

day = date(2026, 1, 1)


@pytest.fixture
async def publisher(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaPublisher]:
    topic = reference_topic(prefix=kafka_settings.topic_prefix)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(topic, 3, 1, "compact", -1)])
    async with KafkaPublisher(kafka_settings, client_id="c", clock=SystemClock()) as opened:
        async with asyncio.timeout(HANG_GUARD_S):
            while not opened.ready:
                await asyncio.sleep(0.01)
        yield opened


def counts(
    kafka: KafkaSettings, publisher: KafkaPublisher, worker: str = "gap-healer"
) -> KafkaDailyCounts:
    return KafkaDailyCounts(kafka, publisher, account_id="acc", worker=worker, clock=SystemClock())


async def test_the_latest_count_of_each_rank_is_loaded_by_the_next_member(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher
) -> None:
    store = counts(kafka_settings, publisher)
    assert await store.load(Label.HEAVY) == {}
    await store.save(Label.HEAVY, 0, Count(day, 1, 0, 5))
    await store.save(Label.HEAVY, 12, Count(day, 1, 0, 7))
    await store.save(Label.HEAVY, 0, Count(day, 2, 5, 9))
    await store.save(Label.LIGHT, 0, Count(day, 2, 0, 1))
    await counts(kafka_settings, publisher, "gap").save(Label.HEAVY, 0, Count(day, 1, 0, 99))
    loaded = await counts(kafka_settings, publisher).load(Label.HEAVY)
    assert loaded == {0: Count(day, 2, 5, 9), 12: Count(day, 1, 0, 7)}


async def test_two_commands_at_once_keep_one_true_count(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher
) -> None:
    clock = SystemClock()

    def budget(writer: str) -> DailyBudget:
        kept = KafkaDailyCounts(
            kafka_settings,
            publisher,
            account_id="acc",
            worker="zcc-api",
            clock=clock,
            writer=writer,
        )
        made = DailyBudget(Label.HEAVY, 10, reserved=0.0, counts=kept, clock=clock)
        made.on_share_changed(sole_member)
        return made

    first, second = budget("aa"), budget("bb")
    for _ in range(3):  # both have read before either has written, and go on in turn
        taken = await asyncio.gather(*(each.take(Priority.INTERACTIVE) for each in (first, second)))
        assert all(taken)
    await first.finish()
    await second.finish()
    seen = counts(kafka_settings, publisher, "zcc-api")
    loaded = await seen.load(Label.HEAVY)
    assert sum(count.used for count in loaded.values()) == 6
    third = budget("cc")
    for _ in range(4):
        assert await third.take(Priority.INTERACTIVE)
    assert await third.take(Priority.INTERACTIVE) is None
    assert third.used == 10


async def test_counts_of_commands_of_the_days_before_yesterday_are_deleted(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher
) -> None:
    today = datetime.now(UTC).date()
    for writer, age_days in (("old", 2), ("yesterday", 1), ("today", 0)):
        kept = KafkaDailyCounts(
            *(kafka_settings, publisher),
            account_id="acc",
            worker="zcc-api",
            clock=SystemClock(),  # type: ignore[arg-type]  # as they are named
            writer=writer,
        )
        await kept.save(Label.HEAVY, 0, Count(today - timedelta(days=age_days), 0, 0, 1))
        await kept.load(Label.HEAVY)
    left = await counts(kafka_settings, publisher, "zcc-api").load(Label.HEAVY)
    days = {count.day for count in left.values()}
    assert days == {today, today - timedelta(days=1)}


async def test_a_count_is_a_reference_as_the_contract_has_it(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher
) -> None:
    await counts(kafka_settings, publisher).save(Label.HEAVY, 3, Count(day, 2, 5, 9))
    topic = reference_topic(prefix=kafka_settings.topic_prefix)
    (record,) = await records_of(kafka_settings, [topic])
    assert record.key == b"acc:api_budget:gap-healer/HEAVY/3"
    reference = ApiBudgetReference.model_validate_json(record.value or b"")
    assert (reference.account_id, reference.id) == ("acc", "gap-healer/HEAVY/3")
    assert reference.state.model_dump() == {
        "day": day.isoformat(), "generation": 2, "before": 5, "used": 9,
    }  # fmt: skip
    assert read_reference(record).state == reference.state.model_dump()


async def test_other_entities_and_deleted_counts_are_passed_over(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher
) -> None:
    topic = reference_topic(prefix=kafka_settings.topic_prefix)
    store = counts(kafka_settings, publisher)
    await publish_once(publisher, Record(topic, b"acc:user:u1", b"{}"))
    await publish_once(publisher, Record(topic, b"acc:api_budget:gap-healer/HEAVY/3", None))
    assert await store.load(Label.HEAVY) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"x", b'{"state":{"day":"2026-01-01","generation":1,"before":0,"used":1}}'),
        (b"0", b"no JSON"),
        (b"0", b"[]"),
        (b"0", b'{"state":{"day":"2026-01-01","generation":1,"before":0}}'),
        (b"0", b'{"state":{"day":"first of January","generation":1,"before":0,"used":1}}'),
        (b"0", b'{"state":{"day":20260101,"generation":1,"before":0,"used":1}}'),
        (b"0", b'{"state":{"day":"2026-01-01","generation":1,"before":0,"used":null}}'),
    ],
)
async def test_a_count_that_cannot_be_read_makes_all_of_them_unknown(
    kafka_settings: KafkaSettings, publisher: KafkaPublisher, key: bytes, value: bytes
) -> None:
    topic = reference_topic(prefix=kafka_settings.topic_prefix)
    await publish_once(publisher, Record(topic, b"acc:api_budget:gap-healer/HEAVY/" + key, value))
    with pytest.raises(TransientError):
        await counts(kafka_settings, publisher).load(Label.HEAVY)


async def test_a_count_that_the_broker_will_not_take_is_not_kept(
    kafka_settings: KafkaSettings,
) -> None:
    class Refusing:
        ready = True

        async def publish(self, record: Record) -> None:
            raise RejectedError(DeadLetterReason.TOO_LARGE, "too large")

    store = KafkaDailyCounts(
        kafka_settings, Refusing(), account_id="acc", worker="w", clock=SystemClock()
    )
    with pytest.raises(TransientError):
        await store.save(Label.HEAVY, 0, Count(day, 1, 0, 1))
