"""A webhook changes the reference topic at once: an update by a lookup, a deletion by itself."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from processors.reference.changes.component import component
from processors.reference.changes.service import run
from processors.reference.settings import ReferenceSettings
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Record
from schemas.headers import ce_type, timestamp
from schemas.topics import TopicSpec, raw_topic, reference_topic
from simulator.company import make_company
from simulator.service import rest_api
from simulator.state import State, directory
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.reference_account import KnownInMemory
from tests.support.simulator_receiver import simulator_settings
from zoom.settings import ZoomSettings

pytestmark = pytest.mark.usefixtures("signals")

company = make_company(1)
worker = WorkerSettings(health_host="127.0.0.1", health_port=0, session_timeout_s=6)


class Events:
    """Raw events of the account's users, and what follows from them in the reference topic."""

    def __init__(self, kafka: KafkaSettings, publisher: KafkaPublisher) -> None:
        self._kafka = kafka
        self._publisher = publisher

    async def happens(self, event: str, entity: Mapping[str, Any], *, before_ms: int = 0) -> None:
        name, now_ms = f"contact_center.{event}", int(SystemClock().now().timestamp() * 1000)
        at_ms = now_ms - before_ms
        body = {
            "event": name,
            "event_ts": at_ms,
            "payload": {
                "account_id": company.account_id,
                "object": {**entity, "date_time_ms": timestamp(at_ms)},
            },
        }
        topic = raw_topic("user", prefix=self._kafka.topic_prefix)
        headers = ((ce_type, name.encode()),)
        await publish_once(self._publisher, Record(topic, b"k", orjson.dumps(body), headers))

    async def known(self) -> KnownInMemory:
        known, topic = KnownInMemory(), reference_topic(prefix=self._kafka.topic_prefix)
        for each in await records_of(self._kafka, [topic]):
            known.take([Record(topic, each.key, each.value, each.headers)])
        return known

    async def state_of(self, user_id: str) -> Mapping[str, Any] | None:
        held = (await self.known()).get(company.account_id, "user", user_id)
        return None if held is None else held.state

    async def is_gone(self, user_id: str) -> bool:
        held = (await self.known()).get(company.account_id, "user", user_id)
        return held is not None and held.state is None


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not await holds():
            await asyncio.sleep(0.2)


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    prefix = kafka_settings.topic_prefix
    names = [*component.reads(prefix=prefix), component.dead_letter_topic(prefix=prefix)]
    reference = reference_topic(prefix=prefix)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(name, 1, 1, "delete", 3_600_000) for name in names])
        await admin.apply([TopicSpec(reference, 1, 1, "compact", -1)])
    return kafka_settings


def zoom(api: str) -> ZoomSettings:
    return ZoomSettings(
        account_id=company.account_id,
        client_id="app-1",
        client_secret=SecretStr("credentials of the tests"),
        oauth_url=f"{api}/oauth/token",
        api_url=f"{api}/v2",
        share=1.0,
    )


async def test_an_update_is_published_and_a_deletion_that_comes_late_removes_nothing_newer(
    kafka: KafkaSettings,
) -> None:
    state = State(company)
    first, second = (str(u["user_id"]) for u in state.directory.every(directory.user)[:2])
    state.directory.became(directory.user, first, {"display_name": "New Name"})
    async with (
        rest_api(simulator_settings("http://127.0.0.1:9/"), company, state=state) as api,
        KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher,
        asyncio.TaskGroup() as tasks,
    ):
        events = Events(kafka, publisher)
        tasks.create_task(run(ReferenceSettings(), zoom(api), kafka, worker))
        await events.happens("user_updated", {"user_id": first.lower(), "updates": {}})
        await events.happens("user_updated", {"user_id": first, "updates": {}})

        async def is_renamed() -> bool:
            return (await events.state_of(first) or {}).get("display_name") == "New Name"

        await until(is_renamed)
        late = {"users": [{"user_id": first}]}
        await events.happens("user_deleted", late, before_ms=60_000)
        await events.happens("user_deleted", {"users": [{"user_id": second}]})
        await until(lambda: events.is_gone(second))
        assert await is_renamed()
        os.kill(os.getpid(), signal.SIGTERM)
