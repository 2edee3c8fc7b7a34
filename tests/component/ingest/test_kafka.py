"""Ingest in front of a real broker: what was answered 204 is in the topic, byte for byte."""

import asyncio
import base64
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from ingest.apps.reloading import ReloadingApps
from ingest.initial_metrics import create_app_series
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery
from schemas.catalogue import events
from schemas.topics import quarantine_topic, raw_topic, raw_topics, topic_specs
from tests.support.ingest_server import Server, event, numbered, running
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.ports import free_port

program = """
import uvloop
from ingest.service import serve
from ingest.settings import IngestSettings
from ingest.spill.settings import SpillSettings
from runtime.settings import KafkaSettings
uvloop.run(serve(IngestSettings(), KafkaSettings(), SpillSettings()))
"""


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    prefix = kafka_settings.topic_prefix
    names = {*raw_topics(prefix=prefix), quarantine_topic(prefix=prefix)}
    specs = [spec for spec in topic_specs(kafka_settings.topic_plan, {}) if spec.name in names]
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(specs)
    return kafka_settings


@pytest.fixture
async def server(kafka: KafkaSettings) -> AsyncIterator[Server]:
    async with (
        KafkaPublisher(kafka, client_id="test-ingest", clock=SystemClock()) as publisher,
        running(publisher, kafka=kafka) as started,
    ):
        await until_it_is_ready(started)
        yield started


async def accept(server: Server, body: bytes) -> None:
    """Send as Zoom does, again after 503: a topic that was just made takes a while to work."""
    async with asyncio.timeout(HANG_GUARD_S):
        while (answer := await server.post(body)).status == 503:
            await until_it_is_ready(server)
    assert answer.status == 204


async def read(kafka: KafkaSettings, *topics: str) -> dict[bytes, Delivery]:
    """Return what is there by its value: what was answered 503 may be there twice."""
    return {delivery.value or b"": delivery for delivery in await records_of(kafka, topics)}


def body_of(name: str, ordinal: int) -> bytes:
    """Write an event as Zoom does: any order of members, no canonical form."""
    entity = {
        path.removeprefix("users[].").split(".")[0]: f"entity-{ordinal}"
        for path in events[name].key
    }
    payload = {"object": {**entity, "note": "Zoë 😀 \x00 \\u00e9"}, "account_id": "account"}
    members = {"payload": payload, "event_ts": 1_751_364_000_000 + ordinal, "event": name}
    return orjson.dumps(members, option=orjson.OPT_INDENT_2)


async def test_each_known_event_is_in_its_familys_topic_byte_for_byte(
    server: Server, kafka: KafkaSettings
) -> None:
    sent = {body_of(name, ordinal): name for ordinal, name in enumerate(events)}
    await asyncio.gather(*(accept(server, body) for body in sent))
    deliveries = await read(kafka, *raw_topics(prefix=kafka.topic_prefix))
    assert set(deliveries) == set(sent)
    for body, delivery in deliveries.items():
        name = sent[body]
        assert delivery.topic == raw_topic(events[name].family, prefix=kafka.topic_prefix)
        assert dict(delivery.headers)["ce_type"] == name.encode()
        assert (delivery.key or b"").startswith(b"account")


async def test_one_engagements_events_of_all_families_share_a_partition_number(
    server: Server, kafka: KafkaSettings
) -> None:
    names = [name for name, kind in events.items() if kind.key == ("engagement_id",)]
    for name in {events[name].family: name for name in names}.values():
        await accept(server, body_of(name, 7))
    deliveries = await read(kafka, *raw_topics(prefix=kafka.topic_prefix))
    assert len(deliveries) > 5
    assert len({delivery.partition for delivery in deliveries.values()}) == 1


async def test_what_misspelt_settings_kept_out_is_in_its_topic_once_they_are_mended(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    file = tmp_path / "apps.json"
    bodies = [numbered(number) for number in range(50)]
    clock = SystemClock()

    async def change(secret: str, account: str) -> None:
        before = apps.current
        file.write_text(json.dumps({"default": {"secrets": [secret], "accounts": [account]}}))
        async with asyncio.timeout(HANG_GUARD_S):
            while apps.current is before:
                await asyncio.sleep(0.05)

    file.write_text('{"default": {"secrets": ["the-newest-secret"], "accounts": ["acount"]}}')
    apps = ReloadingApps(file, clock=clock, create_series=create_app_series)
    async with (
        KafkaPublisher(kafka, client_id="test-ingest", clock=clock) as publisher,
        running(publisher, kafka=kafka, present=lambda: apps.current) as server,
        asyncio.TaskGroup() as tasks,
    ):
        following = tasks.create_task(apps.run(asyncio.Event()))
        await until_it_is_ready(server)
        for reason, mistake in (
            ("foreign_account", ("the-newest-secert", "account")),
            ("secret", ("the-newest-secret", "account")),
        ):
            before = await server.metric("zcc_ingest_unavailable_total", reason=reason)
            assert {(await server.post(body)).status for body in bodies} == {503}
            now = await server.metric("zcc_ingest_unavailable_total", reason=reason)
            assert now == before + 50
            await change(*mistake)
        for body in bodies:
            await accept(server, body)
        following.cancel()
    prefix = kafka.topic_prefix
    assert set(await read(kafka, raw_topic("engagement", prefix=prefix))) == set(bodies)
    assert await read(kafka, quarantine_topic(prefix=prefix)) == {}


async def test_a_signed_body_that_cannot_be_read_is_in_quarantine(
    server: Server, kafka: KafkaSettings
) -> None:
    body = b"\xef\xbb\xbf" + event + b"\x00"
    await accept(server, body)
    deliveries = await read(kafka, quarantine_topic(prefix=kafka.topic_prefix))
    assert dict(deliveries[body].headers)["zcc-reason"] == b"not_json"


async def test_a_body_of_the_limit_is_kept(server: Server, kafka: KafkaSettings) -> None:
    body = event + b" " * (1024 * 1024 - len(event))
    await accept(server, body)
    assert set(await read(kafka, raw_topic("engagement", prefix=kafka.topic_prefix))) == {body}


async def test_what_the_broker_refuses_is_sent_again_and_does_no_harm_to_what_follows(
    kafka: KafkaSettings,
) -> None:
    noise = base64.b64encode(random.Random(1).randbytes(2 * 1024 * 1024))
    async with (
        KafkaPublisher(kafka, client_id="test-ingest", clock=SystemClock()) as publisher,
        running(publisher, kafka=kafka, max_body_bytes=4 * 1024 * 1024) as server,
    ):
        await until_it_is_ready(server)
        await accept(server, event)
        before = await server.metric("zcc_ingest_unavailable_total", reason="refused")
        assert (await server.post(event[:-1] + b',"noise":"' + noise + b'"}')).status == 503
        after = await server.metric("zcc_ingest_unavailable_total", reason="refused")
        assert after == before + 1
        await accept(server, body_of("contact_center.engagement_ended", 1))
    deliveries = await read(kafka, raw_topic("engagement", prefix=kafka.topic_prefix))
    assert set(deliveries) == {event, body_of("contact_center.engagement_ended", 1)}


@asynccontextmanager
async def process(kafka: KafkaSettings) -> AsyncIterator[tuple[asyncio.subprocess.Process, Server]]:
    """Run ingest as it runs in production: a process of its own, settings in its environment."""
    port, health_port = free_port(), free_port()
    environment: Mapping[str, str] = {
        **os.environ,
        "ZCC_INGEST_HOST": "127.0.0.1",
        "ZCC_INGEST_PORT": str(port),
        "ZCC_INGEST_HEALTH_HOST": "127.0.0.1",
        "ZCC_INGEST_HEALTH_PORT": str(health_port),
        "ZCC_INGEST_APPS": '{"default": ["the-newest-secret"]}',
        "ZCC_INGEST_PSEUDONYM_KEY": "0123456789abcdef",
        "ZCC_INGEST_UNREADY_S": "0.2",
        "ZCC_INGEST_PRODUCE_DEADLINE_S": "1.5",
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
    }
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    try:
        await until_it_listens(child, port)
        yield child, Server(port, health_port)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def until_it_listens(child: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while child.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    pytest.fail(f"ingest ended with {child.returncode}")


async def until_it_is_ready(server: Server) -> None:
    for _ in range(300):
        if (await server.get("/readyz")).status == 200:
            return
        await asyncio.sleep(0.05)
    pytest.fail("ingest never became ready")


async def test_a_process_keeps_what_it_accepts_and_ends_by_itself_on_sigterm(
    kafka: KafkaSettings,
) -> None:
    async with process(kafka) as (child, server):
        await until_it_is_ready(server)
        await accept(server, event)
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(HANG_GUARD_S):
            assert await child.wait() == 0
    assert set(await read(kafka, raw_topic("engagement", prefix=kafka.topic_prefix))) == {event}


async def test_without_a_broker_a_process_lives_is_unready_and_answers_503() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen()
        port = silent.getsockname()[1]
        kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}", topic_prefix="nowhere")
        async with process(kafka) as (child, server):
            assert (await server.get("/healthz")).status == 200
            assert (await server.get("/readyz")).status == 503
            assert (await server.post()).status == 503
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(HANG_GUARD_S):
                assert await child.wait() == 0
