"""Several processes of ingest on one port, as real processes in front of a real broker."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest

from runtime.settings import KafkaSettings
from tests.support.ingest_processes import (
    Pod,
    engagements,
    is_running,
    listening,
    make_topics,
    pod,
    until,
)
from tests.support.ingest_server import read_response, request, signed
from tests.support.patience import HANG_GUARD_S

accepted = "zcc_ingest_accepted_total"


def body_of(ordinal: int) -> bytes:
    return orjson.dumps(
        {
            "event": "contact_center.engagement_started",
            "event_ts": 1_751_364_000_000 + ordinal,
            "payload": {"account_id": "account", "object": {"engagement_id": f"e{ordinal}"}},
        }
    )


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    await make_topics(kafka_settings)
    return kafka_settings


@pytest.fixture
async def two(kafka: KafkaSettings) -> AsyncIterator[Pod]:
    """Two processes, both ready, whose topic has taken its first event."""
    async with pod(kafka, workers="2") as started:
        await started.until_ready(2)
        async with asyncio.timeout(HANG_GUARD_S):
            while (await started.server.post(body_of(0))).status != 204:
                await asyncio.sleep(0.05)
        yield started


async def post_each(pod: Pod, bodies: list[bytes]) -> Counter[int]:
    """Send each on a connection of its own; return how many got which status."""
    answers = await asyncio.gather(*(pod.server.post(body) for body in bodies))
    return Counter(answer.status for answer in answers)


async def until_it_shows(pod: Pod, count: float) -> None:
    """Wait until so many are shown as accepted; more is never right."""
    async with asyncio.timeout(HANG_GUARD_S):
        while (shown := await pod.server.metric(accepted, family="engagement")) != count:
            assert shown <= count
            await asyncio.sleep(0.02)


async def test_both_processes_get_connections(two: Pod) -> None:
    answers = [await two.ask("/nowhere") for _ in range(40)]  # all of one: once in 2 ** 39 times
    assert {owner for owner, _ in answers} == set(two.children())


async def test_the_metrics_shown_are_those_of_both(two: Pod) -> None:
    assert await post_each(two, [body_of(n) for n in range(1, 41)]) == {204: 40}
    await until_it_shows(two, 41)
    assert await two.server.metric("zcc_ingest_ready") == 1
    assert await two.server.metric("zcc_ingest_request_seconds_count") >= 41


async def test_a_killed_process_is_started_again_while_the_other_goes_on(
    two: Pod, kafka: KafkaSettings
) -> None:
    assert await post_each(two, [body_of(n) for n in range(1, 41)]) == {204: 40}
    await until_it_shows(two, 41)
    victim, other = two.children()
    os.kill(victim, signal.SIGKILL)
    await until(lambda: not is_running(victim), two)
    assert await post_each(two, [body_of(n) for n in range(41, 81)]) == {204: 40}
    assert await two.server.metric("zcc_ingest_accepted_total", family="engagement") >= 41
    await two.until_ready(2)
    assert other in two.children()
    assert await post_each(two, [body_of(n) for n in range(81, 121)]) == {204: 40}
    await until_it_shows(two, 121)
    assert await two.server.metric("zcc_ingest_restarts_total") == 1
    (restart,) = two.logged("process ended, is started again")
    assert restart["exit_code"] == -signal.SIGKILL
    assert set(await engagements(kafka)) == {body_of(n) for n in range(121)}


async def test_sigterm_drains_both_and_every_answer_is_204_or_503(
    two: Pod, kafka: KafkaSettings
) -> None:
    answered: dict[bytes, int] = {}

    async def send_until_it_ends(sender: int) -> None:
        ordinal = sender
        try:
            while True:
                async with two.server.connection() as (reader, writer):
                    closes = False
                    while not closes:
                        ordinal += 8
                        body = body_of(ordinal)
                        writer.write(request(body, headers=signed(body)))
                        answer = await read_response(reader)
                        answered[body] = answer.status
                        closes = answer.headers.get("connection") == "close"
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # nobody there any more: no answer was sent, and none was half sent

    async with asyncio.TaskGroup() as tasks:
        for sender in range(8):
            tasks.create_task(send_until_it_ends(sender))
        await until(lambda: len(answered) > 200, two)
        assert await two.stop() == 0
    assert set(answered.values()) <= {204, 503}
    kept = {body for body, status in answered.items() if status == 204}
    assert len(kept) > 200
    assert kept <= set(await engagements(kafka))


async def test_a_killed_parent_leaves_nobody_behind(two: Pod) -> None:
    children = two.children()
    two.parent.kill()
    await until(lambda: not any(is_running(child) for child in children), two)
    assert len(two.logged("stopped")) == 2  # they were not killed: they drained
    with pytest.raises(ConnectionRefusedError):
        await two.server.get("/nowhere")


async def test_without_workers_there_is_one_process_and_no_parent(kafka: KafkaSettings) -> None:
    async with pod(kafka) as one:
        assert one.children() == []
        assert listening(one.port, one.everybody()) == [one.parent.pid]
        assert await one.stop() == 0


async def test_the_option_of_the_command_goes_before_the_setting(kafka: KafkaSettings) -> None:
    arguments = ("-m", "operations", "ingest", "--workers", "2")
    async with pod(kafka, arguments, workers="3") as two:
        await until(lambda: len(listening(two.port, two.children())) == 2, two)
        assert len(two.children()) == 2
        assert await two.stop() == 0
