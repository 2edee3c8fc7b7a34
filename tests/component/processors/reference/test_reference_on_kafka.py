"""The walk fills the topic from a simulated account; another process continues it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from processors.entities.kinds import kinds
from runtime.kafka import TopicAdmin
from runtime.process.metrics_exposition import total
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec, reference_topic, watermark_topic
from simulator.company import make_company
from simulator.service import rest_api
from simulator.state import State, directory
from sinks.postgres.model.families.queue import queue
from sinks.postgres.model.families.reference import reference_entity
from sinks.postgres.model.families.team import team
from sinks.postgres.model.families.user import user
from sinks.postgres.model.rows import read_deliveries, rows_by_table
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.reference_account import KnownInMemory
from tests.support.reference_process import reference_process
from tests.support.services import http_get
from tests.support.simulated_reference import ids_of
from tests.support.simulator_receiver import simulator_settings

company = make_company(1)
soon: dict[str, object] = {
    "announced_ttl_s": 2,
    "silent_ttl_s": 2,
    "rare_ttl_s": 2,
    "ttl_jitter": 0,
}
without_limits: dict[str, object] = {
    f"rest_{label}_per_s": 100_000 for label in ("light", "medium", "heavy")
}


class Topic:
    """What the reference topic holds."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.name = reference_topic(prefix=kafka.topic_prefix)

    async def records(self) -> list[Record]:
        deliveries = await records_of(self._kafka, [self.name])
        return [Record(self.name, each.key, each.value, each.headers) for each in deliveries]

    async def ids(self, entity: str) -> set[str]:
        return set(await self.states(entity))

    async def states(self, entity: str) -> Mapping[str, Any]:
        known = KnownInMemory()
        known.take(await self.records())
        account = company.account_id
        return {
            key[2]: held.state
            for key, held in known.held.items()
            if key[:2] == (account, entity) and held.state is not None
        }

    async def rows(self) -> set[tuple[str, str]]:
        """Entity and id of each row that the sink makes of it."""
        messages, rejections = read_deliveries(await records_of(self._kafka, [self.name]))
        assert rejections == []
        tables = rows_by_table(messages)
        own = {
            (projection.name, row[1])
            for projection in (user, queue, team)
            for row in tables.get(projection.table, ())
        }
        others = {(row[1], row[2]) for row in tables[reference_entity.table]}
        return {("user" if name == "app_user" else name, id_) for name, id_ in own | others}

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while not await holds():
                await asyncio.sleep(0.2)


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> Topic:
    prefix, topic = kafka_settings.topic_prefix, Topic(kafka_settings)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(
            [
                TopicSpec(topic.name, 3, 1, "compact", -1, compaction_lag_ms=3_600_000),
                TopicSpec(watermark_topic("reference", prefix=prefix), 1, 1, "compact", -1),
            ]
        )
    return topic


@asynccontextmanager
async def simulated_api(state: State) -> AsyncIterator[str]:
    settings = simulator_settings("http://127.0.0.1:9/", **without_limits)
    async with rest_api(settings, company, state=state) as base:
        yield base


async def figures_of(port: int) -> bytes:
    return (await asyncio.to_thread(http_get, port, "/metrics"))[1]


async def until_metric(port: int, holds: Callable[[bytes], bool]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while True:
            status, figures = await asyncio.to_thread(http_get, port, "/metrics")
            if status == 200 and holds(figures):
                return
            await asyncio.sleep(0.1)


async def test_a_walk_fills_the_topic_a_deletion_follows_and_a_standby_takes_over(
    kafka_settings: KafkaSettings,
    topic: Topic,
    unused_tcp_port_factory: Callable[[], int],
    tmp_path: Path,
) -> None:
    state, ports = State(company), [unused_tcp_port_factory() for _ in range(2)]
    users = {str(each["user_id"]) for each in state.directory.every(directory.user)}
    gone, renamed = sorted(users)[:2]
    async with simulated_api(state) as api:

        def process(port: int) -> Any:
            return reference_process(
                kafka_settings,
                api,
                company.account_id,
                port=port,
                log=tmp_path / "log",
                reference=soon,
            )

        async with process(ports[0]) as first, process(ports[1]) as second:
            expected = ids_of(state)
            assert all(expected.values())

            async def all_of_them() -> bool:
                return {entity: await topic.ids(entity) for entity in kinds} == expected

            await topic.until(all_of_them)
            rows = await topic.rows()
            assert rows >= {(entity, id_) for entity in kinds for id_ in expected[entity]}
            queues = await topic.states("queue")
            assert all(each["wrap_up_time"] is not None for each in queues.values())

            state.directory.removed(directory.user, gone, time="", by=state.owner_id)

            async def deleted() -> bool:
                return gone not in await topic.ids("user")

            await topic.until(deleted)
            assert await topic.ids("user") == users - {gone}

            figures = [(await asyncio.to_thread(http_get, port, "/metrics"))[1] for port in ports]
            active = [total(each, "zcc_poller_active") for each in figures].index(1)
            (first, second)[active].send_signal(signal.SIGKILL)
            state.directory.became(directory.user, renamed, {"display_name": "Another Name"})

            async def taken_over() -> bool:
                return (await topic.states("user"))[renamed]["display_name"] == "Another Name"

            await topic.until(taken_over)
            await until_metric(
                ports[1 - active], lambda text: total(text, "zcc_reference_walks_total") > 0
            )
            before = len(await topic.records())
            walks = total(await figures_of(ports[1 - active]), "zcc_reference_walks_total")
            await until_metric(
                ports[1 - active],
                lambda text: total(text, "zcc_reference_walks_total") >= walks + 2 * len(kinds),
            )
            assert len(await topic.records()) == before


async def test_a_restart_continues_where_the_walk_was(
    kafka_settings: KafkaSettings,
    topic: Topic,
    unused_tcp_port_factory: Callable[[], int],
    tmp_path: Path,
) -> None:
    state = State(company)
    late = {**soon, "announced_ttl_s": 3600, "silent_ttl_s": 3600, "rare_ttl_s": 3600}
    async with simulated_api(state) as api:
        calls = []
        for _ in range(2):
            port = unused_tcp_port_factory()
            async with reference_process(
                kafka_settings,
                api,
                company.account_id,
                port=port,
                log=tmp_path / "log",
                reference=late,
            ) as process:
                await until_metric(port, lambda text: total(text, "zcc_poller_active") == 1)

                async def all_kinds() -> bool:
                    return all([await topic.ids(entity) for entity in kinds])

                await topic.until(all_kinds)
                await until_metric(
                    port,
                    lambda text: (
                        total(text, "zcc_poller_due_feeds") == 0
                        and total(text, "zcc_worker_in_flight_records") == 0
                    ),
                )
                process.send_signal(signal.SIGTERM)
                assert await process.wait() == 0
            usage = await asyncio.to_thread(http_get, int(api.rpartition(":")[2]), "/control/usage")
            calls.append(orjson.loads(usage[1]))

    first, second = calls
    assert second["operations"] == first["operations"]
