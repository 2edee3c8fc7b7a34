"""A signature that was answered 204 makes no second record; all that was not is kept as ever."""

import asyncio
import socket
import struct

import pytest

from runtime.errors import TransientError
from runtime.settings import KafkaSettings
from tests.support.ingest_processes import engagements, make_topics, pod
from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    event,
    numbered,
    read_response,
    request,
    running,
    signed,
)
from tests.support.ingest_wire import HangingPublisher, a_moment, on_both_loops, served
from tests.support.patience import HANG_GUARD_S

remembered: dict[str, object] = {"remembered_signatures": 1000}


async def replays(server: Server, app: str = "default") -> float:
    return await server.metric("zcc_ingest_replays_total", app=app)


async def test_500_replays_of_one_request_make_one_record(kafka_settings: KafkaSettings) -> None:
    await make_topics(kafka_settings)
    async with pod(kafka_settings) as ingest:
        await ingest.until_ready()
        async with asyncio.timeout(HANG_GUARD_S):
            while (await ingest.server.post(numbered(0))).status != 204:
                await asyncio.sleep(0.05)
        raw = request(event, headers=signed(event))
        answers = [(await ingest.server.send(raw)).status for _ in range(501)]
        counted = await replays(ingest.server)
        kept = await engagements(kafka_settings)
    assert answers == [204] * 501
    assert counted == 500
    assert kept.count(event) == 1


async def test_what_was_answered_503_is_kept_when_it_comes_again() -> None:
    broken = True

    async def fail_at_first() -> None:
        if broken:
            raise TransientError("no acknowledgement")

    publisher = MemoryPublisher(fail_at_first)
    async with running(publisher, **remembered) as server:
        raw = request(event, headers=signed(event))
        assert (await server.send(raw)).status == 503
        broken = False
        before = await replays(server)
        assert [(await server.send(raw)).status for _ in range(3)] == [204] * 3
        assert await replays(server) == before + 2
    assert [record.value for record in publisher.records] == [event]


@on_both_loops
async def test_what_is_still_under_way_or_was_never_answered_is_kept_when_it_comes_again() -> None:
    publisher = HangingPublisher()
    async with served(publisher, **remembered) as server:
        raw = request(event, headers=signed(event))
        async with server.connection() as (_, writer):
            writer.write(raw)
            await publisher.until_sent(1)
            plain = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await a_moment()
        publisher.acknowledge_all()  # the client is gone
        for number in (2, 3):
            async with server.connection() as (reader, writer):
                writer.write(raw)
                if number == 2:
                    await publisher.until_sent(2)
                    publisher.acknowledge_all()
                assert (await read_response(reader)).status == 204
    assert len(publisher.sent) == 2


async def test_the_same_secret_and_body_at_another_app_is_another_request() -> None:
    apps = {"one": ["a-secret-that-two-share"], "two": ["a-secret-that-two-share"]}
    publisher = MemoryPublisher()
    async with running(publisher, apps=apps, **remembered) as server:
        headers = signed(event, secret="a-secret-that-two-share")
        for path in ("one", "two", "one", "two"):
            answer = await server.post(path=f"/webhooks/zoom/{path}", headers=headers)
            assert answer.status == 204
    assert [dict(record.headers)["zcc-app"] for record in publisher.records] == [b"one", b"two"]


async def test_a_quarantined_body_is_remembered_and_a_challenge_is_answered_each_time() -> None:
    publisher = MemoryPublisher()
    challenge = b'{"event":"endpoint.url_validation","payload":{"plainToken":"t"}}'
    async with running(publisher, **remembered) as server:
        odd = request(b"no json", headers=signed(b"no json"))
        assert [(await server.send(odd)).status for _ in range(2)] == [204, 204]
        validation = request(challenge, headers=signed(challenge))
        assert [(await server.send(validation)).status for _ in range(2)] == [200, 200]
    assert [record.value for record in publisher.records] == [b"no json"]


async def test_a_replay_from_where_the_app_does_not_allow_it_is_503_as_ever() -> None:
    apps = {"default": {"secrets": ["the-newest-secret"], "networks": ["192.0.2.0/24"]}}
    async with running(MemoryPublisher(), apps=apps, forwarded_hops=1, **remembered) as server:

        async def status(sender: bytes, headers: list[tuple[str, bytes]]) -> int:
            more = [*headers, ("x-forwarded-for", sender)]
            return (await server.send(request(event, headers=more))).status

        own = signed(event)
        assert await status(b"192.0.2.1", own) == 204
        assert await status(b"203.0.113.9", own) == 503


@pytest.mark.parametrize(("most", "records"), [(0, 3), (2, 1)])
async def test_how_many_are_remembered_is_a_setting(most: int, records: int) -> None:
    publisher = MemoryPublisher()
    async with running(publisher, remembered_signatures=most) as server:
        raw = request(event, headers=signed(event))
        for _ in range(3):
            assert (await server.send(raw)).status == 204
        async with asyncio.timeout(HANG_GUARD_S):
            while await server.metric("zcc_ingest_remembered_signatures") != most // 2:
                await asyncio.sleep(0.01)
    assert len(publisher.records) == records
