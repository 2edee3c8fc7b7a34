"""Outcomes between real topics, with the simulated API and with Postgres behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import orjson
import pytest
from prometheus_client import REGISTRY

from processors.entities.settings import EventFieldSettings
from processors.outcomes.component import component
from processors.outcomes.service import outcomes
from processors.outcomes.settings import OutcomeSettings
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from runtime.values import Delivery, TopicPartition
from schemas.headers import text
from schemas.topics import (
    dead_letter_topic,
    enriched_topic,
    outcome_topic,
    raw_topic,
    reference_topic,
    retry_topic,
    topic_specs,
)
from simulator.company import Company, make_company
from simulator.service import make_state, rest_api
from simulator.settings import SimulatorSettings
from simulator.state import State
from sinks.postgres.migrate import migrate
from tests.support.components import component_of
from tests.support.ended_engagements import (
    HOLD_S,
    TALKING_S,
    apply_to,
    data_ready,
    engagement_events,
    raw_record,
)
from tests.support.fakes.zoom import secret, zoom_settings
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres import owner, query
from zoom.accounts import Accounts

pytestmark = pytest.mark.usefixtures("signals")

COUNT = 20
DELAYS_S = (1, 2, 3, 4)
worker = WorkerSettings(
    health_host="127.0.0.1", health_port=0, commit_interval_s=0.1, session_timeout_s=6
)
program = """
import uvloop
from processors.entities.settings import EventFieldSettings
from processors.outcomes.service import run
from processors.outcomes.settings import OutcomeSettings
from runtime.settings import KafkaSettings, WorkerSettings
from zoom.settings import ZoomSettings
uvloop.run(
    run(OutcomeSettings(), EventFieldSettings(), ZoomSettings(), KafkaSettings(), WorkerSettings())
)
"""


@dataclass
class Zoom:
    """The simulated API, and what it knows."""

    company: Company
    state: State
    url: str

    async def fail(self, **faults: object) -> None:
        async with aiohttp.ClientSession() as http:
            (await http.post(f"{self.url}/control/faults", json=faults)).raise_for_status()


@pytest.fixture
async def zoom() -> AsyncIterator[Zoom]:
    settings = SimulatorSettings(
        secret=secret, client_id="a-client", client_secret=secret, rest_details_delay_s=2.0
    )
    company = make_company(1)
    state = make_state(settings, company)
    async with rest_api(settings, company, state=state) as url:
        yield Zoom(company, state, url)


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    delays_s = {*DELAYS_S, *component.retry_delays_s}
    async with TopicAdmin(kafka_settings) as admin:
        workers = {component.name: sorted(delays_s)}
        await admin.apply(list(topic_specs(kafka_settings.topic_plan, workers)))
    return kafka_settings


async def publish(kafka: KafkaSettings, bodies: Sequence[bytes]) -> None:
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        for body in bodies:
            await publish_once(publisher, raw_record(body, prefix=kafka.topic_prefix))


async def end_all(kafka: KafkaSettings, zoom: Zoom, *, announced: bool = True) -> list[str]:
    """Let engagements end now, and tell Kafka and the API of it; half of them are announced."""
    ids = [f"engagement-{number}" for number in range(COUNT)]
    now = datetime.now(UTC)
    bodies: list[bytes] = []
    for number, engagement_id in enumerate(ids):
        events = list(engagement_events(zoom.company, engagement_id, ended_at=now))
        apply_to(zoom.state, events)
        bodies += events
        if announced and number % 2:
            ready = data_ready(zoom.company, engagement_id, at=now)
            apply_to(zoom.state, [ready])
            bodies.append(ready)
    await publish(kafka, bodies)
    return ids


@asynccontextmanager
async def working(kafka: KafkaSettings, zoom: Zoom) -> AsyncIterator[None]:
    """The component in this process, with short delays."""
    prefix, clock = kafka.topic_prefix, SystemClock()
    settings = zoom_settings(
        account_id=zoom.company.account_id,
        oauth_url=f"{zoom.url}/oauth/token",
        api_url=f"{zoom.url}/v2",
    )
    chosen = OutcomeSettings(dataset_interval_s=0.5)
    described = component_of(
        component.name,
        component.reads(prefix=prefix),
        writes=component.writes(prefix=prefix),
        retry_delays_s=DELAYS_S,
    )
    async with (
        Accounts(settings, clock=clock) as accounts,
        outcomes(
            accounts.client,
            chosen,
            EventFieldSettings(),
            topic_prefix=prefix,
            clock=clock,
            attempts=1 + len(DELAYS_S),
        ) as opened,
        asyncio.TaskGroup() as tasks,
    ):
        table = FollowedTable(reference_topic(prefix=prefix), opened.table)
        tasks.create_task(
            run_handler(opened.handler, described, kafka=kafka, worker=worker, tables=[table])
        )
        yield
        os.kill(os.getpid(), signal.SIGTERM)


async def outcomes_of(kafka: KafkaSettings) -> dict[str, Any]:
    """The newest snapshot of each engagement."""
    topic = outcome_topic(prefix=kafka.topic_prefix)
    newest: dict[str, Any] = {}
    for each in await records_of(kafka, [topic]):
        value = orjson.loads(each.value or b"")
        known = newest.get(value["engagement_id"], {"as_of": ""})
        newest[value["engagement_id"]] = max(known, value, key=lambda some: some["as_of"])
    return newest


async def are_complete(kafka: KafkaSettings, ids: Sequence[str]) -> bool:
    newest = await outcomes_of(kafka)
    return [newest.get(each, {}).get("status") for each in ids] == ["complete"] * len(ids)


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(2 * HANG_GUARD_S):
        while not await condition():
            await asyncio.sleep(0.3)


async def dead_letters(kafka: KafkaSettings) -> list[Delivery]:
    return await records_of(kafka, [dead_letter_topic(component.name, prefix=kafka.topic_prefix)])


async def store(kafka: KafkaSettings, dsn: str) -> None:
    """Store what the topics hold as the sink does."""
    await asyncio.to_thread(migrate, dsn)
    prefix = kafka.topic_prefix
    for topic in (enriched_topic("engagement", prefix=prefix), outcome_topic(prefix=prefix)):
        async with owner(dsn, source=TopicPartition(topic, 0)) as sink:
            assert await sink.store(await records_of(kafka, [topic])) == ()


async def test_every_engagement_that_ends_gets_its_outcome_and_a_revision_of_its_end(
    kafka: KafkaSettings, zoom: Zoom, database_dsn: str
) -> None:
    async with working(kafka, zoom):
        ids = await end_all(kafka, zoom)
        await eventually(partial(are_complete, kafka, ids))
    assert await dead_letters(kafka) == []
    newest = await outcomes_of(kafka)
    for each in ids:
        durations = newest[each]["outcome"]["durations"]
        assert (durations["talking_ms"], durations["hold_ms"]) == (TALKING_S * 1000, HOLD_S * 1000)
        assert newest[each]["outcome"]["dispositions"] == [
            {"disposition_id": "D1", "disposition_name": "Solved"}
        ]

    enriched = enriched_topic("engagement", prefix=kafka.topic_prefix)
    raw = {
        text(each.headers, "zcc-event-id"): each
        for each in await records_of(kafka, [raw_topic("engagement", prefix=kafka.topic_prefix)])
    }
    revisions = await records_of(kafka, [enriched])
    revised = {
        orjson.loads(each.value or b"")["payload"]["object"]["engagement_id"] for each in revisions
    }
    assert revised == set(ids)
    for each in revisions:
        original = raw[text(each.headers, "zcc-event-id")]
        assert text(each.headers, "ce_type") == "contact_center.engagement_ended"
        assert (each.value or b"").startswith((original.value or b"")[:-1])
        assert each.key == original.key
        assert int(text(each.headers, "zcc-revision") or "") >= 100

    await store(kafka, database_dsn)
    rows = await query(
        database_dsn,
        "select engagement_id, zoom_talking_ms, zoom_hold_ms, status, dispositions "
        "from zcc.engagement_report",
    )
    assert {row.pop("engagement_id") for row in rows} == set(ids)
    expected = {
        "zoom_talking_ms": TALKING_S * 1000,
        "zoom_hold_ms": HOLD_S * 1000,
        "status": "complete",
        "dispositions": ["Solved"],
    }
    assert rows == [expected] * COUNT
    (enrichment,) = await query(
        database_dsn,
        "select distinct enrichment #> '{outcome,durations,hold_ms}' as hold_ms "
        "from zcc.raw_event where event = 'contact_center.engagement_ended'",
    )
    assert enrichment == {"hold_ms": HOLD_S * 1000}


def attempts_that_wait() -> float:
    """How many attempts had to be repeated in place, in this process."""
    labels = {"part": "details", "outcome": "waits"}
    return REGISTRY.get_sample_value("zcc_outcomes_lookups_total", labels) or 0.0


async def test_an_api_that_was_down_delays_outcomes_and_loses_none(
    kafka: KafkaSettings, zoom: Zoom
) -> None:
    await zoom.fail(outage=True)
    before = attempts_that_wait()

    async def meets_the_outage() -> bool:
        return attempts_that_wait() > before

    async with working(kafka, zoom):
        ids = await end_all(kafka, zoom)
        await eventually(meets_the_outage)
        assert await outcomes_of(kafka) == {}
        await zoom.fail()
        await eventually(partial(are_complete, kafka, ids))
    assert await dead_letters(kafka) == []


@asynccontextmanager
async def process(
    kafka: KafkaSettings, zoom: Zoom, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The component as it runs in production; ``variables`` replace others."""
    environment = {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_HEALTH_PORT": "0",
        "ZCC_WORKER_SESSION_TIMEOUT_S": "6",
        "ZCC_OUTCOMES_DATASET_INTERVAL_S": "1",
        "ZCC_ZOOM_ACCOUNT_ID": zoom.company.account_id,
        "ZCC_ZOOM_CLIENT_ID": "a-client",
        "ZCC_ZOOM_CLIENT_SECRET": secret,
        "ZCC_ZOOM_PLAN": "business_plus",
        "ZCC_ZOOM_SHARE": "1",
        "ZCC_ZOOM_OAUTH_URL": f"{zoom.url}/oauth/token",
        "ZCC_ZOOM_API_URL": f"{zoom.url}/v2",
        **variables,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_a_kill_between_two_attempts_loses_no_outcome(
    kafka: KafkaSettings, zoom: Zoom
) -> None:
    await zoom.fail(outage=True)
    first_retry = retry_topic(
        component.name, component.retry_delays_s[0], prefix=kafka.topic_prefix
    )
    async with process(kafka, zoom) as child:
        ids = await end_all(kafka, zoom, announced=False)

        async def all_wait() -> bool:
            return len(await records_of(kafka, [first_retry])) >= COUNT

        await eventually(all_wait)
        child.kill()
        await child.wait()
    await zoom.fail()
    async with process(kafka, zoom) as child:
        await eventually(partial(are_complete, kafka, ids))
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(HANG_GUARD_S):
            assert await child.wait() == 0
    assert await dead_letters(kafka) == []


async def test_where_outcomes_are_off_nobody_is_called_and_no_credentials_are_needed(
    kafka: KafkaSettings, zoom: Zoom
) -> None:
    await end_all(kafka, zoom)
    prefix = kafka.topic_prefix
    topics, group = component.reads(prefix=prefix), component.group(prefix=prefix)
    nothing = {f"ZCC_ZOOM_{name}": "" for name in ("ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET")}

    async def all_done() -> bool:
        async with TopicAdmin(kafka) as admin:
            lags = await admin.lag(group, topics)
        return all(each.position == each.log_end for each in lags.values())

    async with process(kafka, zoom, ZCC_ENRICHMENT_MODE="reference", **nothing) as child:
        await eventually(all_done)
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(HANG_GUARD_S):
            assert await child.wait() == 0
    assert await records_of(kafka, component.retry_topics(prefix=prefix)) == []
    assert await outcomes_of(kafka) == {}
    assert await dead_letters(kafka) == []
