"""The whole account is read at the start, and again before it grows old."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from processors.enrichment.lookup import CachedLookup
from processors.enrichment.preload import keep_preloaded
from processors.enrichment.references import queue_ids
from processors.enrichment.settings import EnrichmentSettings
from runtime.background_tasks import BackgroundTasks
from tests.support.fakes.zoom import Answer, ScriptedTransport, VirtualClock, client_with, reply
from zoom.entities import Queue
from zoom.lookups import queue_lookup


@pytest.fixture
async def background() -> AsyncIterator[BackgroundTasks]:
    async with BackgroundTasks() as opened:
        yield opened


def page(*ids: str, token: str = "") -> Answer:
    queues = [{"cc_queue_id": id_, "queue_name": id_.upper()} for id_ in ids]
    return reply(200, {"queues": queues, "next_page_token": token})


class Pausing(VirtualClock):
    """Stops the walker at its last pause; until then pauses pass at once."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.pauses_s: list[float] = []
        self._most = pauses
        self.done = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        self.pauses_s.append(delay_s)
        if len(self.pauses_s) == self._most:
            self.done.set()
            await asyncio.Event().wait()
        await super().sleep(delay_s)


async def preloaded(
    background: BackgroundTasks, *script: Answer, pauses: int, cache_entries: int = 100
) -> tuple[CachedLookup[str, Queue], Pausing, ScriptedTransport]:
    clock, transport = Pausing(pauses), ScriptedTransport(*script)
    source = queue_lookup(client_with(transport, clock))
    settings = EnrichmentSettings(cache_ttl_s=3600.0, cache_entries=cache_entries)
    lookup = CachedLookup[str, Queue](
        source, settings, names=queue_ids, background=background, clock=clock
    )
    background.start(keep_preloaded(source, lookup, settings, clock=clock))
    await asyncio.wait_for(clock.done.wait(), 10)
    return lookup, clock, transport


async def test_all_pages_are_kept(background: BackgroundTasks) -> None:
    lookup, _, _ = await preloaded(background, page("a", token="t"), page("b"), pauses=1)
    for id_ in ("a", "b"):
        assert await lookup.get(id_) == Queue(id_, "", id_.upper())


async def test_they_are_read_again_before_they_are_old(background: BackgroundTasks) -> None:
    lookup, clock, transport = await preloaded(background, page("a"), page("a"), pauses=2)
    assert clock.pauses_s == [1800.0, 1800.0]
    clock.elapsed_s = 5300.0  # old since 3600 without the second walk
    assert await lookup.get("a") == Queue("a", "", "A")
    assert len(transport.asked) == 2


@pytest.mark.parametrize("failure", [reply(503), reply(403), reply(400)])
async def test_a_walk_that_fails_is_tried_again_soon(
    background: BackgroundTasks, failure: Answer
) -> None:
    lookup, clock, _ = await preloaded(background, failure, page("a"), pauses=2)
    assert clock.pauses_s == [60.0, 1800.0]
    assert await lookup.get("a") == Queue("a", "", "A")


async def test_an_account_larger_than_memory_is_read_in_part(background: BackgroundTasks) -> None:
    _, _, transport = await preloaded(
        background, page("a", "b", token="t"), pauses=1, cache_entries=4
    )
    assert len(transport.asked) == 1
