"""An account of Zoom in memory, a reference topic in memory, and the poller between them."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple

import orjson

from processors.entities.kinds import kinds
from processors.reference.asking import Asking
from processors.reference.news import Account
from processors.reference.poller import ReferencePoller
from processors.reference.settings import ReferenceSettings
from runtime.values import Fetched, Record
from schemas.envelope import JsonObject
from schemas.reference_record import Snapshot, as_of_ms, is_newer, read_key
from tests.support.fakes.zoom import VirtualClock
from zoom.catalogue import find
from zoom.errors import ZoomFault, error_of

account_id = "an-account"
topic = "zcc.reference.v1"


class Held(NamedTuple):
    """What the topic holds of an entity."""

    as_of_ms: int
    state: JsonObject | None


class KnownInMemory:
    """`processors.reference.news.KnownEntities` of the records given to it, in any order."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str, str], Held] = {}

    def take(self, records: Iterable[Record]) -> None:
        for record in records:
            key = read_key(record.key)
            moment_ms = as_of_ms(record.headers, timestamp_ms=0)
            state = None if record.value is None else orjson.loads(record.value)["state"]
            before = self.held.get(key)
            if before is None or is_newer(moment_ms, before.as_of_ms, this_gone=state is None):
                self.held[key] = Held(moment_ms, state)

    def get(self, account: str, entity: str, id_: str) -> Held | None:
        return self.held.get((account, entity, id_))

    def ids(self, account: str, entity: str) -> list[str]:
        return [
            key[2]
            for key, held in self.held.items()
            if key[:2] == (account, entity) and held.state is not None
        ]

    def states(self, entity: str) -> dict[str, JsonObject]:
        return {
            id_: self.held[account_id, entity, id_].state or {}
            for id_ in self.ids(account_id, entity)
        }


class AccountInMemory:
    """`zoom.messages.Caller` of an account whose lists have small pages.

    ``lists`` holds the items of lists by operation, or by operation and part; lookups find them
    there. ``during`` is called before the next answer is given, after it was decided.
    """

    def __init__(self, clock: VirtualClock, *, page_size: int = 2) -> None:
        self.lists: dict[str | tuple[str, str], list[dict[str, Any]]] = {}
        self.errors: dict[str, Exception] = {}
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self.next_token: Callable[[str, int], str] = lambda operation, start: f"{operation}-{start}"
        self.refuses_tokens = False
        self.strange: dict[str, object] = {}
        """Answers that are no documents, by operation."""
        self.during: Callable[[], None] | None = None
        self._clock = clock
        self._page_size = page_size

    async def call(self, operation: str, /, *, body: object = None, **arguments: Any) -> Any:
        del body
        self.calls.append((operation, arguments))
        if operation in self.errors:
            raise self.errors[operation]
        if self.refuses_tokens and "next_page_token" in arguments:
            raise error_of(ZoomFault.REFUSED, "the token is unknown")
        answer = self.strange.get(operation) or self._answer(operation, arguments)
        self._clock.elapsed_s += 0.2
        if self.during is not None:
            during, self.during = self.during, None
            during()
        if answer is None:
            raise error_of(ZoomFault.NOT_FOUND, operation)
        return answer

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def _answer(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        items = find(operation).reply.items
        if items is None:
            return self._document(operation, next(iter(arguments.values())))
        part = [v for n, v in arguments.items() if n not in ("page_size", "next_page_token")]
        documents = self.lists.get((operation, part[0]) if part else operation, [])
        start = int(str(arguments.get("next_page_token", "-0")).rpartition("-")[2])
        end = start + self._page_size
        token = self.next_token(operation, end) if end < len(documents) else ""
        return {items: documents[start:end], "next_page_token": token}

    def _document(self, operation: str, id_: str) -> dict[str, Any] | None:
        kind = next(kind for kind in kinds.values() if kind.get_operation == operation)
        documents = self.lists.get(operation) or self.lists.get(kind.list_operation, [])
        return next((each for each in documents if each[kind.id_field] == id_), None)


class ReferenceRig:
    """A poller of some kinds; its records reach the topic when a page is committed."""

    def __init__(self, *entities: str, page_size: int = 2, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.zoom = AccountInMemory(self.clock, page_size=page_size)
        self.known = KnownInMemory()
        self.settings = ReferenceSettings(entities=entities, ttl_jitter=0, **settings)
        self.records: list[Record] = []
        self.corrections: list[Snapshot] = []
        self.watermarks: dict[str, str | None] = dict.fromkeys(entities)
        self.poller = self.new_poller()

    def new_poller(self) -> ReferencePoller:
        """A poller as another process has it."""
        asking = Asking(self.zoom, Account(account_id, self.known), self.clock)
        return ReferencePoller(
            asking,
            self.settings,
            topic=topic,
            clock=self.clock,
            rng=Random(1),
            corrections=lambda most: self.corrections[:most],
        )

    async def fetch(self, entity: str) -> Fetched:
        feed = next(feed for feed in self.poller.feeds if feed.name == entity)
        return await self.poller.fetch(feed, self.watermarks[entity])

    def commit(self, entity: str, fetched: Fetched) -> None:
        self.watermarks[entity] = fetched.watermark
        self.records += fetched.records
        self.known.take(fetched.records)

    async def step(self, entity: str) -> Fetched:
        fetched = await self.fetch(entity)
        self.commit(entity, fetched)
        return fetched

    def is_due(self, entity: str) -> bool:
        feed = next(feed for feed in self.poller.feeds if feed.name == entity)
        due = self.poller.due(feed, self.watermarks[entity], self.clock.now())
        return due is not None and due <= self.clock.now()

    async def walk(self, entity: str) -> list[Record]:
        """Do all steps of a walk, and return its records."""
        before = len(self.records)
        for _ in range(200):
            await self.step(entity)
            if not self.is_due(entity):
                return self.records[before:]
        raise AssertionError("the walk has no end")

    def pass_time(self, seconds: float) -> None:
        self.clock.elapsed_s += seconds


def users(*names: str) -> list[dict[str, Any]]:
    """Users as in a list; the id is the name in upper case."""
    return [{"user_id": name.upper(), "display_name": name} for name in names]


def ids_in(records: Iterable[Record], *, gone: bool = False) -> list[str]:
    """The ids of the snapshots among records, or of the tombstones."""
    return [read_key(each.key).id for each in records if (each.value is None) == gone]
