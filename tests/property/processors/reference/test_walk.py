"""Whatever happens to lists, pages and processes, the topic ends as the account is."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reference_account import ReferenceRig, account_id, ids_in
from zoom.errors import UnavailableError, ZoomFault, error_of

_ids = [f"U{number}" for number in range(7)]
_locations = [f"L{number}" for number in range(5)]
_actions = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("add", "rename", "remove", "step", "step", "step", "lose", "restart"),
                *("wait", "expire", "refuse", "outage", "next walk"),
            ]
        ),
        st.integers(0, 6),
    ),
    max_size=60,
)


class _History:
    """One kind of entity, an account that changes, and processes that come and go."""

    def __init__(self, entity: str, operation: str, id_field: str, names: list[str]) -> None:
        self.entity = entity
        self.rig = ReferenceRig(entity, page_size=2 if entity == "user" else 9)
        self.items = self.rig.zoom.lists.setdefault(operation, [])
        self.operation = operation
        self.id_field = id_field
        self.names = names
        self.changes = 0

    def _index(self, id_: str) -> int | None:
        ids = [item[self.id_field] for item in self.items]
        return ids.index(id_) if id_ in ids else None

    async def do(self, action: str, number: int) -> None:
        acts: dict[str, Callable[[str], Awaitable[None]]] = {
            "add": self._add,
            "rename": self._rename,
            "remove": self._remove,
            "step": self._step,
            "lose": self._lose,
            "restart": self._restart,
            "wait": self._wait,
            "expire": self._expire,
            "refuse": self._refuse,
            "outage": self._outage,
            "next walk": self._next_walk,
        }
        self.rig.pass_time(0.5)
        await acts[action](self.names[number % len(self.names)])

    async def _add(self, id_: str) -> None:
        if self._index(id_) is None:
            self.items.append({self.id_field: id_})

    async def _rename(self, id_: str) -> None:
        index = self._index(id_)
        if index is not None:
            self.changes += 1
            member = "display_name" if self.entity == "user" else "storage_location_name"
            self.items[index] = {self.id_field: id_, member: f"name {self.changes}"}

    async def _remove(self, id_: str) -> None:
        index = self._index(id_)
        if index is not None:
            del self.items[index]

    async def _step(self, _id: str) -> None:
        fetched = await self.rig.fetch(self.entity)
        if self.entity == "user":
            gone = ids_in(fetched.records, gone=True)
            assert not {item[self.id_field] for item in self.items}.intersection(gone)
        self.rig.commit(self.entity, fetched)

    async def _lose(self, _id: str) -> None:
        await self.rig.fetch(self.entity)

    async def _restart(self, _id: str) -> None:
        self.rig.poller = self.rig.new_poller()

    async def _wait(self, _id: str) -> None:
        self.rig.pass_time(60)

    async def _expire(self, _id: str) -> None:
        self.rig.pass_time(16 * 60)

    async def _refuse(self, _id: str) -> None:
        self.rig.zoom.errors[self.operation] = error_of(ZoomFault.REFUSED, "no such token")
        await self._step(_id)
        self.rig.zoom.errors.clear()

    async def _outage(self, _id: str) -> None:
        for operation in (self.operation, "get_user"):
            self.rig.zoom.errors[operation] = error_of(ZoomFault.OUTAGE, "down")
        with suppress(UnavailableError):
            await self._step(_id)
        self.rig.zoom.errors.clear()

    async def _next_walk(self, _id: str) -> None:
        self.rig.pass_time(25 * 3600)


async def _play(history: _History, actions: list[tuple[str, int]]) -> None:
    for action, number in actions:
        await history.do(action, number)
    rig, entity = history.rig, history.entity
    for _ in range(4):  # what is under way, and whole walks after it
        await rig.walk(entity)
        rig.pass_time(25 * 3600)
    held = {id_: dict(state) for id_, state in rig.known.states(entity).items()}
    assert held == {item[history.id_field]: item for item in history.items}
    assert set(rig.known.ids(account_id, entity)) == held.keys()
    assert await rig.walk(entity) == []


@pytest.mark.parametrize("entity", ["user", "storage_location"])
@given(actions=_actions)
def test_the_topic_ends_as_the_account_is(entity: str, actions: list[tuple[str, int]]) -> None:
    history = (
        _History("user", "list_users", "user_id", _ids)
        if entity == "user"
        else _History(
            "storage_location", "list_storage_locations", "storage_location_code", _locations
        )
    )
    asyncio.run(_play(history, actions))
