"""From a worker that fails to its dead letters, and back to it, until it is mended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from runtime.errors import RejectedError
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.support.components import component_of
from tests.support.dead_letters import Deployment
from tests.support.patience import until

pytestmark = pytest.mark.usefixtures("signals")

settings = WorkerSettings(health_host="127.0.0.1", health_port=0, commit_interval_s=0.1)


class Handler:
    """Refuses everything until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.refused = 0
        self.handled: list[Delivery] = []

    async def __call__(self, delivery: Delivery) -> Sequence[Record]:
        if not self.mended:
            self.refused += 1
            raise RejectedError(DeadLetterReason.UNREADABLE, f"row {delivery.offset}")
        self.handled.append(delivery)
        return ()


@asynccontextmanager
async def working(handler: Handler, deployment: Deployment) -> AsyncIterator[None]:
    work = run_handler(
        handler,
        component_of("enrichment", [deployment.raw], retry_delays_s=(10,)),
        kafka=deployment.kafka,
        worker=settings,
    )
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_open(deployment: Deployment, count: int, handler: Handler) -> None:
    """Wait for so many letters; each record that the handler refuses is progress."""

    async def are_there() -> bool:
        return len(await deployment.read(deployment.dead("enrichment"))) >= count

    await until(are_there, f"{count} dead letters", progress=lambda: handler.refused)


async def test_what_fails_again_becomes_a_dead_letter_again_and_what_is_mended_is_handled(
    kafka_settings: KafkaSettings,
) -> None:
    deployment, handler = Deployment(kafka_settings), Handler()
    await deployment.make_topics()
    originals = [Record(deployment.raw, b"k", b"%d" % n, (("ce_id", b"%d" % n),)) for n in range(2)]
    await deployment.produce(originals)
    async with working(handler, deployment):
        await until_open(deployment, 2, handler)
        assert len(await deployment.objects("replay", "--yes")) == 2
        await until_open(deployment, 4, handler)
        again = await deployment.objects("list")
        assert [each["replays"] for each in again] == [1, 1]
        assert len({each["fingerprint"] for each in again}) == 1

        handler.mended = True
        (alone,) = await deployment.objects("replay", "--yes", "--limit", "1", "--to-worker")
        await until(lambda: len(handler.handled) == 1, "the first letter handled")
        assert len(await deployment.objects("replay", "--yes")) == 1
        await until(lambda: len(handler.handled) == 2, "the second letter handled")
    assert alone["to"] == deployment.retry
    assert [each.value for each in await deployment.read(deployment.raw)].count(b"0") == 2
    assert [(each.topic, each.value) for each in handler.handled] == [
        (deployment.raw, b"0"),
        (deployment.raw, b"1"),
    ]
    assert {text(each.headers, "zcc-replays") for each in handler.handled} == {"2"}
    assert {each.headers[:-1] for each in handler.handled} == {o.headers for o in originals}
    assert (await deployment.zcc("list")).returncode == 1
