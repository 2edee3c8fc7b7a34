"""Handlers that do what no handler should, on the real broker: nothing is lost."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas import headers
from tests.support.kafka_members import create, deadline_s, lag, publish, working
from tests.support.kafka_records import records_of

values = [b"%d" % number for number in range(20)]


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> str:
    """A topic with twenty records, each of a key of its own."""
    topic = await create(kafka_settings, "one", partitions=1)
    await publish(kafka_settings, *(Record(topic, value, value) for value in values))
    return topic


class Handler:
    """Counts what it is done with; ``at`` 7 it misbehaves."""

    def __init__(self) -> None:
        self.done: Counter[bytes | None] = Counter()

    async def __call__(self, delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"7":
            await self.misbehave()
        self.done[delivery.value] += 1
        return ()

    async def misbehave(self) -> None:
        """As others do: nothing."""


async def until_done(kafka: KafkaSettings, topic: str) -> None:
    async with asyncio.timeout(deadline_s):
        while await lag(kafka, topic):
            await asyncio.sleep(0.05)


async def test_what_is_no_exception_is_a_defect_like_others_and_becomes_a_dead_letter(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    class PanicError(BaseException):
        """As extensions written in Rust raise it."""

    class Panics(Handler):
        async def misbehave(self) -> None:
            raise PanicError

    handler = Panics()
    dead_letters = await create(kafka_settings, "dead", partitions=1)
    async with working(kafka_settings, topic, handler):
        await until_done(kafka_settings, topic)
    assert handler.done.keys() == set(values) - {b"7"}
    (letter,) = await records_of(kafka_settings, [dead_letters])
    assert letter.value == b"7"
    assert headers.text(letter.headers, headers.reason_header) == "defect"


async def test_a_call_that_never_returns_holds_up_its_key_only_and_the_next_worker_has_it_again(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    class Hangs(Handler):
        async def misbehave(self) -> None:
            await asyncio.Event().wait()

    handler, next_handler = Hangs(), Handler()
    async with asyncio.timeout(deadline_s):
        async with working(kafka_settings, topic, handler, drain_timeout_s=0.5):
            while handler.done.total() < len(values) - 1:
                await asyncio.sleep(0.01)
            while await lag(kafka_settings, topic) > len(values) - 7:
                await asyncio.sleep(0.05)
        assert await lag(kafka_settings, topic) == len(values) - 7
    async with working(kafka_settings, topic, next_handler):
        await until_done(kafka_settings, topic)
    assert next_handler.done[b"7"] == 1


async def test_a_call_that_blocks_the_loop_loses_the_membership_which_is_entered_again(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    class Blocks(Handler):
        async def misbehave(self) -> None:
            if not self.done[b"blocked"]:
                self.done[b"blocked"] = 1
                time.sleep(2.5)  # noqa: ASYNC251 - that is the case

    handler = Blocks()
    with capture_logs() as logs:
        async with working(kafka_settings, topic, handler, session_timeout_s=1, drain_timeout_s=1):
            async with asyncio.timeout(deadline_s):
                while sum(entry["event"] == "assigned" for entry in logs) < 2:
                    await asyncio.sleep(0.05)
            await until_done(kafka_settings, topic)
    assert handler.done.keys() == {*values, b"blocked"}
