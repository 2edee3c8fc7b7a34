"""Each alert is fired by its fault on the running product; docs/reference/alerts.md lists them.

In this order, because the first ones need that nothing has run yet. `make alarms` runs them alone.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.kafka import TopicAdmin
from schemas.topics import enriched_topic, raw_topic, retry_topic
from tests.support.alarms import Product, event, frozen, make_topics, postgres_of, product
from tests.support.enriched_records import webhook
from tests.support.kafka_members import delete_before
from tests.support.patience import HANG_GUARD_S

pytestmark = pytest.mark.long

numbers: Iterator[int] = count(1)
year_1975_ms = 160_000_000_000
sinks = ("postgres", "object-storage")


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed (Debian: apt-get install prometheus)")
    async with product(tmp_path_factory.mktemp("alarms")) as started:
        yield started


async def put(
    running: Product, topic: str, value: bytes, *, times: int = 1, age_s: float = 0
) -> None:
    """Put records of such an age on the first partition of a topic."""
    made_ms = int((datetime.now(UTC).timestamp() - age_s) * 1000)
    async with AIOKafkaProducer(bootstrap_servers=running.kafka.bootstrap_servers) as producer:
        for _ in range(times):
            await producer.send(topic, value, key=b"k", partition=0, timestamp_ms=made_ms)


@asynccontextmanager
async def administering(running: Product) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=running.kafka.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def caught_up(running: Product, worker: str) -> None:
    """Wait until a worker has done all that was sent."""
    selector = f'zcc_monitor_group_lag_records{{group="zcc.{worker}"}}'
    await running.until(f"sum({selector})", lambda lags: lags == [0])


def tear_a_segment(folder: Path) -> None:
    """Leave of one what a disk may leave that lost power."""
    (segment, *_) = sorted(folder.rglob("*.spill"))
    segment.write_bytes(b"torn")


async def test_no_ingest_no_worker_no_webhook_and_nothing_stored(running: Product) -> None:
    await running.running("monitor")
    await running.fires("ZccIngestMissing")
    await running.fires("ZccGroupWithoutMembers", group="zcc.postgres")
    await running.fires("ZccPartDown", instance=f"127.0.0.1:{running.ports['ingest']}")
    await running.running("ingest")
    await running.fires("ZccNoWebhooks")
    for sent in (1, 2):
        assert await running.post(event(next(numbers))) == 204
        await running.until(f"sum(zcc_ingest_accepted_total) >= {sent}", bool)
    for sink in sinks:
        await running.fires("ZccEventsMissing", worker=sink)


async def test_a_part_that_starts_again_and_again(running: Product) -> None:
    for _ in range(5):
        began_s = datetime.now(UTC).timestamp()
        await running.run("monitor")
        seen = f'zcc_process_start_time_seconds{{part="monitor"}} > {began_s}'
        await running.until(seen, bool)
        await running.kill("monitor")
    await running.fires("ZccPartRestarts", part="monitor")
    await running.fires("ZccMonitorBlind")


async def test_webhooks_of_a_wrong_secret_and_one_too_large(running: Product) -> None:
    await running.running("ingest")
    for _ in range(60):
        assert await running.post(event(next(numbers)), key="of-somebody-else-entirely") == 401
    await running.fires("ZccWebhooksRefused", reason="signature_wrong")
    large = event(next(numbers))[:-1] + b"," + b" " * 1024 * 1024 + b'"x": 1}'
    assert await running.post(large) in {413, 503}
    await running.fires("ZccWebhookTooLarge")


async def test_webhooks_that_are_kept_out_and_an_apps_file_that_is_wrong(running: Product) -> None:
    apps = running.folder / "apps.json"
    kept_out = {
        "default": ["simulated-webhook-secret"],
        "abroad": {"secrets": ["webhook-secret-of-abroad"], "networks": ["192.0.2.0/24"]},
        "misspelt": {"secrets": ["webhook-secret-of-misspelt"], "accounts": ["ACOUNT"]},
    }
    apps.write_text(json.dumps(kept_out))
    settings = {k: v for k, v in running.settings.items() if k != "ZCC_INGEST_APPS"}
    other = replace(running, settings=settings)
    await other.run("ingest", ZCC_INGEST_APPS_FILE=str(apps))
    for app, reason in (("abroad", "network"), ("misspelt", "foreign_account")):
        body = event(next(numbers))
        assert await running.post(body, key=f"webhook-secret-of-{app}", app=f"/{app}") == 503
        await running.fires("ZccWebhooksKeptOut", reason=reason)
    apps.write_text("{")
    await running.fires("ZccAppsNotRead", outcome="wrong")
    await running.run("ingest")


async def test_bodies_that_are_no_events(running: Product) -> None:
    await running.running("ingest", "monitor")
    assert await running.post(b'{"no event": 0}') == 204
    await running.fires("ZccQuarantined", reason="not_an_envelope")
    await running.fires("ZccQuarantined", topic="zcc.quarantine.v1")
    for number in range(30):
        assert await running.post(b'{"no event": %d}' % number) == 204
    await running.fires("ZccQuarantineFills")


async def test_a_frozen_store_is_reported_from_outside(running: Product) -> None:
    await running.running("ingest", "enrichment", "postgres", "monitor")
    await caught_up(running, "postgres")
    topic = enriched_topic("queue", prefix="zcc")
    async with frozen(postgres_of(running.stack)):
        await put(running, topic, b"{}", age_s=400)
        await running.fires("ZccEventsLate", worker="postgres")
        await running.fires("ZccWorkerFallsBehind", group="zcc.postgres")
        week_s = running.kafka.event_retention_days * 86_400
        await put(running, enriched_topic("team", prefix="zcc"), b"{}", age_s=week_s * 0.6)
        await running.fires("ZccRetentionNears", group="zcc.postgres")


async def test_records_that_cannot_be_stored_and_a_worker_that_halts(running: Product) -> None:
    await running.running("monitor")
    await running.run("postgres", ZCC_WORKER_GUARD_RECORDS="20")
    for family in ("task", "user"):
        await put(running, enriched_topic(family, prefix="zcc"), b"no JSON", times=100)
        if family == "task":
            await running.fires("ZccRecordsFailed", worker="postgres")
            await running.fires("ZccRecordsFailed", topic="zcc.dead-letter.postgres.v1")
            await running.fires("ZccPartitionPaused", worker="postgres")
    await running.fires("ZccWorkerHalted", worker="postgres")
    await running.stop("postgres")


async def test_webhooks_that_come_again(running: Product) -> None:
    await running.running("ingest")
    body = event(next(numbers))
    assert set(await running.post_again(body, times=80)) == {204}
    await running.fires("ZccIngestReplays", app="default")


async def test_a_record_that_its_topic_does_not_take(running: Product) -> None:
    await running.running("ingest")
    small = {"max.message.bytes": "20000"}
    resource = ConfigResource(ConfigResourceType.TOPIC, raw_topic("unknown", prefix="zcc"), small)
    async with administering(running) as admin:
        await admin.alter_configs([resource])
    await running.run("ingest")
    await running.running("ingest")
    noise = "".join(map(str, range(20_000)))  # what compression leaves of it passes the limit
    assert await running.post(webhook("something_large", {"noise": noise})) == 204
    await running.fires("ZccRecordsRefused", limit="max.message.bytes")


async def test_a_topic_that_is_recreated(running: Product) -> None:
    await running.running("ingest", "enrichment", "monitor")
    topic = raw_topic("unknown", prefix="zcc")
    assert await running.post(webhook("something_new", {"id": "one"})) == 204
    await caught_up(running, "enrichment")
    async with administering(running) as admin:
        await admin.delete_topics([topic])
        async with asyncio.timeout(HANG_GUARD_S):
            while topic in await admin.list_topics():
                await asyncio.sleep(0.1)
    await make_topics(running.kafka)
    await running.fires("ZccTopicRecreated", topic=topic)


async def test_records_that_retention_deletes_unread(running: Product) -> None:
    await running.running("ingest", "enrichment", "object-storage", "monitor")
    for _ in range(20):
        assert await running.post(event(next(numbers))) == 204
    await caught_up(running, "enrichment")
    await caught_up(running, "object-storage")
    await running.stop("object-storage")
    topic = enriched_topic("task", prefix="zcc")
    async with TopicAdmin(running.kafka) as admin:
        lags = await admin.lag("zcc.object-storage", [topic])
        source, lag = next((s, each) for s, each in lags.items() if each.committed)
        async with AIOKafkaProducer(bootstrap_servers=running.kafka.bootstrap_servers) as producer:
            for _ in range(3):
                await producer.send(topic, b"{}", key=b"k", partition=source.partition)
        await delete_before(running.kafka, source, lag.log_end + 2)
    await running.fires("ZccRecordsExpired", topic=topic)
    await running.fires("ZccGroupWithoutMembers", group="zcc.object-storage")


async def test_corrections_that_wait_and_an_app_that_zoom_refuses(running: Product) -> None:
    await running.running("monitor")
    await running.stop("enrichment")
    await put(running, retry_topic("enrichment", 10, prefix="zcc"), b"{}", age_s=900)
    await running.fires("ZccCorrectionsLate", worker="enrichment-retry")
    await running.run("enrichment", ZCC_ZOOM_CLIENT_SECRET="another-secret")
    await running.fires("ZccZoomRefusesTheApp")
    await running.stop("enrichment")


async def test_rows_whose_time_has_no_partition(running: Product) -> None:
    await running.running("ingest", "enrichment", "monitor")
    for _ in range(110):
        assert await running.post(event(next(numbers), at_ms=year_1975_ms)) == 204
    await caught_up(running, "enrichment")
    await running.run("postgres")
    await running.running("postgres")
    await caught_up(running, "postgres")
    await running.run("postgres")  # counts when it starts, and every five minutes
    await running.fires("ZccRowsOutsidePartitions", table="raw_event")


async def test_a_broker_that_is_away_with_and_without_a_spill(
    running: Product, tmp_path: Path
) -> None:
    await running.running("ingest")
    try:
        await running.stack.kill("kafka")
        while await running.post(event(next(numbers))) != 503:
            await asyncio.sleep(0.1)
        await running.fires("ZccBrokerDoesNotAcknowledge")
        await running.run(
            "ingest", ZCC_SPILL_URL=f"file://{tmp_path}", ZCC_SPILL_MAX_BYTES=str(1024 * 1024)
        )
        assert await running.post(event(next(numbers))) == 204
        await running.fires("ZccSpillWaits")
        noise = "".join(map(str, range(80_000)))
        large = [webhook("something_large", {"n": next(numbers), "x": noise}) for _ in range(4)]
        assert [await running.post(each) for each in large][-1] == 503
        await running.fires("ZccSpillFails", reason="full")
        await running.stop("ingest")
        tear_a_segment(tmp_path)
    finally:
        await running.stack.start("kafka")
    await running.run("ingest", ZCC_SPILL_URL=f"file://{tmp_path}")
    await running.fires("ZccSpillQuarantined", reason="unreadable")
