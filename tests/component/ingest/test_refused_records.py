"""A record that its topic does not take hurts no other, and is kept elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from structlog.testing import capture_logs

from ingest.spill.metrics import metrics as spill_metrics
from runtime.errors import RejectedError, TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.kafka.limits import TopicLimit
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicSpec, quarantine_topic, raw_topic
from tests.support.ingest_server import Server
from tests.support.ingest_server import running as serving
from tests.support.kafka_proxy import proxy_before
from tests.support.refused_records import (
    admin_client,
    body,
    broker_resource,
    create,
    deadline_s,
    error_of_config,
    invalid_config,
    learn_limits,
    limit_bytes,
    long_deadline,
    noise,
    outcomes_of,
    publishing,
    read,
    refused_count,
    replaced_count,
    set_config,
    topic_resource,
    until_limits_are_learnt,
)
from tests.support.spill import running as spilling


async def test_webhooks_next_to_one_that_its_topic_does_not_take_are_kept_and_it_is_quarantined(
    kafka_settings: KafkaSettings,
) -> None:
    kafka = kafka_settings
    await create(kafka, raw=limit_bytes, quarantine=1_048_588)
    large = {number: body(number, noise(limit_bytes, number)) for number in range(0, 200, 40)}
    bodies = [large.get(number) or body(number) for number in range(200)]
    before, refused_before = replaced_count(), refused_count(TopicLimit.MESSAGE_BYTES)
    raw = raw_topic("engagement", prefix=kafka.topic_prefix)
    async with (
        publishing(kafka) as publisher,
        serving(publisher, kafka=kafka, **long_deadline) as server,
    ):
        for topic in (raw, quarantine_topic(prefix=kafka.topic_prefix)):
            await learn_limits(publisher, topic)
        answers = await asyncio.gather(*(server.post(each) for each in bodies))
        assert [answer.status for answer in answers] == [204] * 200
        assert await server.metric("zcc_ingest_quarantined_total", reason="refused_by_topic") >= 5
    assert (replaced_count(), refused_count(TopicLimit.MESSAGE_BYTES)) == (
        before,
        refused_before + 5,
    )
    values = [each.value for each in await read(kafka, raw) if each.value != b"first"]
    assert sorted(map(bytes, filter(None, values))) == sorted(set(bodies) - set(large.values()))
    kept = await read(kafka, quarantine_topic(prefix=kafka.topic_prefix))
    kept = [each for each in kept if each.value != b"first"]
    assert sorted(each.value or b"" for each in kept) == sorted(large.values())
    for each in kept:
        assert text(each.headers, "zcc-reason") == "refused_by_topic"
        assert f"max.message.bytes is {limit_bytes} (set on the topic)" in str(
            text(each.headers, "zcc-error")
        )
        assert text(each.headers, "zcc-app") == "default"
        assert text(each.headers, "zcc-received-at")


async def test_records_before_and_after_a_refused_one_keep_their_order_and_come_once(
    kafka_settings: KafkaSettings,
) -> None:
    topic = f"{kafka_settings.topic_prefix}.ordered.v1"
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(topic, 2, 1, "delete", 86_400_000, limit_bytes)])
    large = {number for number in range(600) if number % 97 == 5}
    records = [
        Record(
            topic,
            b"k%d" % (number % 2),
            b"%d " % number + (noise(limit_bytes, number) if number in large else b""),
        )
        for number in range(600)
    ]
    before = replaced_count()
    async with publishing(kafka_settings) as publisher:
        outcomes = await outcomes_of(publisher, records)
        again = await outcomes_of(publisher, records[:5])
    assert {number for number, error in enumerate(outcomes) if error is not None} == large
    assert all(isinstance(outcomes[number], RejectedError) for number in large)
    assert again == [None] * 5
    assert replaced_count() == before
    deliveries = await read(kafka_settings, topic)
    for key in (b"k0", b"k1"):
        wanted = [each.value for number, each in enumerate(records) if number not in large]
        wanted += [each.value for each in records[:5]]
        keys = [each.key for number, each in enumerate(records) if number not in large]
        keys += [each.key for each in records[:5]]
        assert [each.value for each in deliveries if each.key == key] == [
            value for value, own in zip(wanted, keys, strict=True) if own == key
        ]


async def test_a_limit_below_a_batch_refuses_no_record_that_is_below_it(
    kafka_settings: KafkaSettings,
) -> None:
    topic = f"{kafka_settings.topic_prefix}.small.v1"
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(topic, 1, 1, "delete", 86_400_000, limit_bytes)])
    records = [Record(topic, b"k", noise(3_000, number)) for number in range(100)]
    async with publishing(kafka_settings) as publisher:
        assert await outcomes_of(publisher, records) == [None] * 100
        await set_config(
            kafka_settings, topic_resource, topic, max_message_bytes=str(limit_bytes // 4)
        )
        # The publisher does not know yet: what it still sends together is refused, and split.
        assert await outcomes_of(publisher, records) == [None] * 100
    deliveries = await read(kafka_settings, topic)
    assert [each.value for each in deliveries] == [each.value for each in records] * 2


async def test_a_record_of_which_the_broker_says_no_more_than_invalid_is_refused_alone(
    kafka_settings: KafkaSettings,
) -> None:
    topic = f"{kafka_settings.topic_prefix}.compacted.v1"
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(topic, 1, 1, "compact", -1)])
    records = [
        Record(topic, None if number == 7 else b"k", b"%d" % number, partition=0)
        for number in range(20)
    ]
    before = replaced_count()
    async with publishing(kafka_settings) as publisher:
        await learn_limits(publisher, topic)
        outcomes = await outcomes_of(publisher, records)
    error = outcomes[7]
    assert isinstance(error, RejectedError)
    assert error.reason is DeadLetterReason.REFUSED_BY_TOPIC
    assert "cleanup.policy is compact" in error.detail
    assert outcomes[:7] + outcomes[8:] == [None] * 19
    assert replaced_count() == before


async def test_what_passes_the_topics_bounds_of_time_is_quarantined(
    kafka_settings: KafkaSettings,
) -> None:
    kafka = kafka_settings
    await create(kafka, raw=1_048_588, quarantine=1_048_588)
    topic = raw_topic("engagement", prefix=kafka.topic_prefix)
    # Whatever comes is older than this.
    await set_config(kafka, topic_resource, topic, message_timestamp_before_max_ms="0")
    before, refused_before = replaced_count(), refused_count(TopicLimit.TIMESTAMP)
    async with (
        publishing(kafka) as publisher,
        serving(publisher, kafka=kafka, **long_deadline) as server,
    ):
        await learn_limits(publisher, quarantine_topic(prefix=kafka.topic_prefix))
        await until_it_refuses(publisher, topic)
        await until_limits_are_learnt(publisher, topic)
        answers = await asyncio.gather(*(server.post(body(number)) for number in range(10)))
        assert [answer.status for answer in answers] == [204] * 10
    assert replaced_count() == before
    assert refused_count(TopicLimit.TIMESTAMP) > refused_before
    kept = await read(kafka, quarantine_topic(prefix=kafka.topic_prefix))
    assert "message.timestamp.before.max.ms is 0 (set on the topic)" in str(
        text(kept[-1].headers, "zcc-error")
    )


async def test_a_record_that_is_too_large_once_decompressed_is_quarantined_and_no_other(
    kafka_settings: KafkaSettings,
) -> None:
    kafka = kafka_settings
    await create(kafka, raw=1_048_588, quarantine=1_048_588)
    raw = raw_topic("engagement", prefix=kafka.topic_prefix)
    setting = {"max_decompressed_message_bytes": str(limit_bytes)}
    code = await error_of_config(kafka, topic_resource, raw, **setting)
    if code == invalid_config:
        pytest.skip("brokers below 4.4 have no such limit")
    assert code == 0
    large = body(7, b"a" * limit_bytes)  # a few hundred bytes, once compressed
    before, refused_before = replaced_count(), refused_count(TopicLimit.DECOMPRESSED_BYTES)
    async with (
        publishing(kafka) as publisher,
        serving(publisher, kafka=kafka, **long_deadline) as server,
    ):
        await learn_limits(publisher, raw)
        await until_it_refuses(publisher, raw, b"a" * limit_bytes)
        bodies = [large if number == 7 else body(number) for number in range(20)]
        answers = await asyncio.gather(*map(server.post, bodies))
        assert [answer.status for answer in answers] == [204] * 20
    assert replaced_count() == before
    assert refused_count(TopicLimit.DECOMPRESSED_BYTES) >= refused_before + 2
    (kept,) = await read(kafka, quarantine_topic(prefix=kafka.topic_prefix))
    assert kept.value == large
    assert f"max.decompressed.message.bytes is {limit_bytes} (set on the topic)" in str(
        text(kept.headers, "zcc-error")
    )


@pytest.fixture
async def limited_cluster(kafka_settings: KafkaSettings) -> AsyncIterator[KafkaSettings]:
    """Topics without a limit of their own, on brokers that have a low one."""
    prefix = kafka_settings.topic_prefix
    topics = [raw_topic("engagement", prefix=prefix), quarantine_topic(prefix=prefix)]
    async with admin_client(kafka_settings) as admin:
        await admin.create_topics([NewTopic(topic, 2, 1) for topic in topics])
    kept = {"min_insync_replicas": "1"}  # a setting of all brokers that may not be taken away
    await set_config(
        kafka_settings, broker_resource, "", message_max_bytes=str(limit_bytes), **kept
    )
    try:
        async with publishing(kafka_settings) as publisher:
            await asyncio.gather(*(until_it_refuses(publisher, topic) for topic in topics))
        yield kafka_settings
    finally:
        await set_config(kafka_settings, broker_resource, "", **kept)


async def until_it_refuses(
    publisher: KafkaPublisher, topic: str, value: bytes = noise(limit_bytes)
) -> None:
    """Wait until the brokers keep to a limit that was just set."""
    async with asyncio.timeout(deadline_s):
        while True:
            try:
                await publisher.publish(Record(topic, b"k", value))
            except RejectedError:
                return
            except TransientError:
                await asyncio.sleep(0.01)


async def post_one_large(server: Server) -> list[int]:
    """Return the answers to one that no topic takes, and to five that any takes."""
    bodies = [body(0, noise(limit_bytes)), *map(body, range(1, 6))]
    return [answer.status for answer in await asyncio.gather(*map(server.post, bodies))]


async def test_what_no_topic_of_the_cluster_takes_is_sent_again_and_an_alarm_names_the_setting(
    limited_cluster: KafkaSettings,
) -> None:
    before = replaced_count()
    async with (
        publishing(limited_cluster) as publisher,
        serving(publisher, kafka=limited_cluster, **long_deadline) as server,
    ):
        await learn_limits(publisher, quarantine_topic(prefix=limited_cluster.topic_prefix))
        counted = await server.metric("zcc_ingest_unavailable_total", reason="refused")
        with capture_logs() as logs:
            assert await post_one_large(server) == [503, *[204] * 5]
        assert await server.metric("zcc_ingest_unavailable_total", reason="refused") == counted + 1
    assert replaced_count() == before
    (warning,) = [entry for entry in logs if entry["event"] == "no topic takes it"]
    assert f"message.max.bytes is {limit_bytes} (set for all brokers)" in warning["refusal"]


async def test_what_no_topic_of_the_cluster_takes_is_moved_to_refused_in_the_spill(
    limited_cluster: KafkaSettings, tmp_path: Path
) -> None:
    counted = spill_metrics.moved_to_refused.labels("refused")._value.get()
    async with (
        publishing(limited_cluster) as publisher,
        spilling(tmp_path, publisher) as spill,
        serving(publisher, kafka=limited_cluster, spill=spill, **long_deadline) as server,
    ):
        assert await post_one_large(server) == [204] * 6
    (segment,) = (tmp_path / "refused").iterdir()
    assert not list((tmp_path / "waiting").iterdir())
    assert raw_topic("engagement", prefix=limited_cluster.topic_prefix) in segment.read_text()
    assert spill_metrics.moved_to_refused.labels("refused")._value.get() == counted + 1


@asynccontextmanager
async def poisoned(
    kafka: KafkaSettings, topic: str, code: int
) -> AsyncIterator[tuple[KafkaPublisher, list[Record]]]:
    """Yield a publisher, and records of which a broker answers the twelfth with this code."""
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, 1, 1, "delete", 86_400_000)])
    async with proxy_before(kafka.bootstrap_servers) as proxy:
        proxy.poison, proxy.poison_code = b"arsenic", code
        behind = kafka.model_copy(update={"bootstrap_servers": proxy.address})
        async with publishing(behind) as publisher:
            await publisher.publish(Record(topic, b"k", b"first"))
            yield (
                publisher,
                [
                    Record(topic, b"k", b"arsenic" if number == 11 else b"%d" % number)
                    for number in range(20)
                ],
            )


@pytest.mark.parametrize("code", [-1, 2, 42, 25, 999])
async def test_a_record_that_brings_a_broker_to_an_answer_without_sense_hurts_no_other(
    kafka_settings: KafkaSettings, code: int
) -> None:
    topic = f"{kafka_settings.topic_prefix}.senseless.v1"
    before = replaced_count()
    async with poisoned(kafka_settings, topic, code) as (publisher, records):
        outcomes = await outcomes_of(publisher, records)
        assert await outcomes_of(publisher, records[:3]) == [None] * 3
    assert isinstance(outcomes[11], TransientError)
    assert outcomes[:11] + outcomes[12:] == [None] * 19
    assert replaced_count() == before
    values = [each.value for each in await read(kafka_settings, topic)]
    first_seen = [each for each in dict.fromkeys(values) if each not in {b"first", b"arsenic"}]
    assert first_seen == [each.value for each in records if each.value != b"arsenic"]


@pytest.mark.parametrize(
    ("code", "replacements"), [(29, 0), (44, 0), (76, 0), (8, 0), (77, 0), (45, 1), (90, 1)]
)
async def test_what_is_no_fault_of_a_record_fails_its_batch_and_no_more_is_given_up_than_must(
    kafka_settings: KafkaSettings, code: int, replacements: int
) -> None:
    topic = f"{kafka_settings.topic_prefix}.faulty.v1"
    before = replaced_count()
    async with poisoned(kafka_settings, topic, code) as (publisher, records):
        outcomes = await outcomes_of(publisher, records)
        assert isinstance(outcomes[11], TransientError)
        async with asyncio.timeout(deadline_s):
            while replaced_count() < before + replacements or not publisher.ready:
                await asyncio.sleep(0.01)
            await publisher.publish(Record(topic, b"k", b"last"))
    assert replaced_count() == before + replacements
