"""What every `runtime.contracts.Lookup` guarantees."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Literal

import aiohttp
import pytest

from processors.enrichment.lookup import CachedLookup
from processors.enrichment.settings import EnrichmentSettings
from processors.enrichment.zoom_source import ZoomSource
from runtime.background_tasks import BackgroundTasks
from runtime.contracts import Lookup
from runtime.errors import TransientError
from schemas.reference_record import ReferenceKey
from simulator.company import Company, make_company
from simulator.service import rest_api
from simulator.settings import SimulatorSettings
from tests.support.fakes.zoom import MemoryLookup, ShiftedClock, client_of, secret, zoom_settings
from zoom.client import ZoomClient

Say = Callable[[Literal["up", "down"]], Awaitable[None]]


@dataclass
class Subject:
    """A lookup, a key that it knows and another one, and the world behind it."""

    lookup: Lookup[str, object]
    known: str
    value: object
    other: str
    go: Say
    clock: ShiftedClock


@dataclass
class Api:
    client: ZoomClient
    company: Company
    go: Say
    clock: ShiftedClock

    def names(self, entity: str, member: str) -> "NamesById":
        """A lookup of one member of the states of an entity."""
        source = ZoomSource(lambda _: self.client, answered=lambda _: None, clock=self.clock)
        return NamesById(source, self.company.account_id, entity, member)

    def users(self, lookup: Lookup[str, object]) -> Subject:
        ann, ben = self.company.users[:2]
        return Subject(lookup, ann.user_id, ann.display_name, ben.user_id, self.go, self.clock)

    def queues(self, lookup: Lookup[str, object]) -> Subject:
        one, two = self.company.queues[:2]
        known, other = one.queue_id, two.cc_queue_id
        return Subject(lookup, known, one.queue_name, other, self.go, self.clock)


@dataclass
class NamesById:
    source: ZoomSource
    account_id: str
    entity: str
    member: str

    async def get(self, key: str) -> object | None:
        found = await self.source.get(ReferenceKey(self.account_id, self.entity, key))
        return None if found is None or found.state is None else found.state[self.member]


@asynccontextmanager
async def api() -> AsyncIterator[Api]:
    company, clock = make_company(1), ShiftedClock()
    settings = SimulatorSettings(secret=secret, client_id="a-client", client_secret=secret)
    async with rest_api(settings, company) as url:

        async def go(way: Literal["up", "down"]) -> None:
            async with aiohttp.ClientSession() as http:
                reply = await http.post(f"{url}/control/faults", json={"outage": way == "down"})
                assert reply.status == 200

        zoom = zoom_settings(
            account_id=company.account_id, oauth_url=f"{url}/oauth/token", api_url=f"{url}/v2"
        )
        async with client_of(zoom, clock) as client:
            yield Api(client, company, go, clock)


@asynccontextmanager
async def users_of_the_api() -> AsyncIterator[Subject]:
    async with api() as opened:
        yield opened.users(opened.names("user", "display_name"))


@asynccontextmanager
async def queues_of_the_api() -> AsyncIterator[Subject]:
    async with api() as opened:
        yield opened.queues(opened.names("queue", "queue_name"))


@asynccontextmanager
async def remembered_users() -> AsyncIterator[Subject]:
    async with api() as opened, BackgroundTasks() as background:
        lookup = CachedLookup[str, object](
            opened.names("user", "display_name"),
            EnrichmentSettings(deadline_s=5.0),
            background=background,
            clock=opened.clock,
            rng=Random(1),
        )
        yield opened.users(lookup)


@asynccontextmanager
async def the_fake() -> AsyncIterator[Subject]:
    memory = MemoryLookup({"a": "A", "b": "B"})

    async def go(way: Literal["up", "down"]) -> None:
        memory.down = way == "down"

    yield Subject(memory, "a", "A", "b", go, ShiftedClock())


@pytest.fixture(
    params=[users_of_the_api, queues_of_the_api, remembered_users, the_fake],
    ids=lambda make: make.__name__,
)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    make: Callable[[], AbstractAsyncContextManager[Subject]] = request.param
    async with make() as made:
        yield made


async def test_what_exists_is_found_and_found_again(subject: Subject) -> None:
    assert await subject.lookup.get(subject.known) == subject.value
    assert await subject.lookup.get(subject.known) == subject.value


async def test_what_does_not_exist_is_none_and_no_error(subject: Subject) -> None:
    for key in ("nobody", "no/body+", "nobody\x00", "x" * 5000, ""):
        assert await subject.lookup.get(key) is None


async def test_in_an_outage_a_key_is_never_reported_as_absent(
    subject: Subject,
) -> None:
    await subject.go("down")
    for key in (subject.known, "nobody", subject.known):
        with pytest.raises(TransientError):
            await subject.lookup.get(key)


async def test_after_an_outage_it_answers_again(subject: Subject) -> None:
    await subject.go("down")
    for key in [subject.known] * 10:
        with pytest.raises(TransientError):
            await subject.lookup.get(key)
    await subject.go("up")
    subject.clock.skipped_s += 60
    assert await subject.lookup.get(subject.known) == subject.value


async def test_many_may_ask_at_once(subject: Subject) -> None:
    keys = [subject.known, subject.other, "nobody"] * 10
    values = await asyncio.gather(*(subject.lookup.get(key) for key in keys))
    assert values[0::3] == [subject.value] * 10
    assert all(value not in (None, subject.value) for value in values[1::3])
    assert values[2::3] == [None] * 10


async def test_who_stops_waiting_disturbs_nobody(subject: Subject) -> None:
    first, second = (asyncio.ensure_future(subject.lookup.get(subject.known)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == subject.value
    assert await subject.lookup.get(subject.known) == subject.value
