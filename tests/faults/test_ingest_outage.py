"""A broker that is away for a minute under load: Zoom's retries, or the spill, bring everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import devstack
from runtime.clock import SystemClock
from runtime.settings import KafkaSettings
from schemas import headers
from schemas.topics import raw_topics
from simulator.company import make_company
from simulator.service import send
from simulator.settings import SimulatorSettings
from simulator.stories import live_stream
from simulator.webhooks.ledger import LedgerWriter, Totals, read_ledger
from tests.support.ingest_processes import make_topics, pod
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S

rate_per_s = 40
away_s = 60
before_s = 10
after_s = 20
count = rate_per_s * (before_s + away_s + after_s)
time_scale = 10  # retries after 30 s, 120 s and 360 s: the second finds the broker again


@asynccontextmanager
async def broker() -> AsyncIterator[tuple[devstack.Stack, KafkaSettings]]:
    options = devstack.DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with devstack.running(options) as stack:
        kafka = KafkaSettings(
            bootstrap_servers=stack.bootstrap_servers,
            engagement_partitions=4,
            other_partitions=2,
            replication=1,
        )
        await make_topics(kafka)
        yield stack, kafka


async def taken_away(stack: devstack.Stack) -> None:
    await asyncio.sleep(before_s)  # the load itself is what this waits for, and no event marks it
    await stack.stop("kafka")
    await asyncio.sleep(away_s)
    await stack.start("kafka")


async def sent(port: int, ledger_file: Path, stack: devstack.Stack) -> Totals:
    company = make_company(3)
    settings = SimulatorSettings(
        target_url=f"http://127.0.0.1:{port}/webhooks/zoom",
        secret="the-newest-secret",
        client_id="client",
        client_secret="client-secret",
        account_id=company.account_id,
        seed=3,
        count=count,
        rate_per_s=rate_per_s,
        duplicates=0,
        reorder=0,
        time_scale=time_scale,
    )
    stream = live_stream(
        company, seed=3, now=SystemClock().now(), count=count, rate_per_s=rate_per_s
    )
    with LedgerWriter(ledger_file) as ledger:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(taken_away(stack))
            await send(settings, company, stream, ledger)
        return ledger.totals


async def ids_in_topics(kafka: KafkaSettings) -> set[str]:
    topics = raw_topics(prefix=kafka.topic_prefix)
    event_ids = [
        headers.text(each.headers, headers.event_id_header)
        for each in await records_of(kafka, topics)
    ]
    return {each for each in event_ids if each}


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_broker_away_for_a_minute_costs_retries_and_no_event(tmp_path: Path) -> None:
    ledger_file = tmp_path / "ledger"
    async with broker() as (stack, kafka), pod(kafka) as gateway:
        await gateway.until_ready()
        totals = await sent(gateway.port, ledger_file, stack)
        kept = await ids_in_topics(kafka)
    assert totals.events == totals.accepted == count
    assert totals.given_up == totals.lost == 0
    assert totals.retries > rate_per_s * away_s / 2  # or it was not away
    assert kept == read_ledger(ledger_file).accepted_ids


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_with_a_spill_a_broker_away_for_a_minute_costs_not_one_retry(tmp_path: Path) -> None:
    ledger_file = tmp_path / "ledger"
    async with (
        broker() as (stack, kafka),
        pod(kafka, spill_url=f"file://{tmp_path}/spill") as gateway,
    ):
        await gateway.until_ready()
        totals = await sent(gateway.port, ledger_file, stack)
        async with asyncio.timeout(HANG_GUARD_S):
            while (kept := await ids_in_topics(kafka)) != read_ledger(ledger_file).accepted_ids:
                await asyncio.sleep(1)
    assert totals.events == totals.accepted == count
    assert totals.retries == 0
    assert len(kept) == count
    assert not list((tmp_path / "spill").rglob("*.spill"))
