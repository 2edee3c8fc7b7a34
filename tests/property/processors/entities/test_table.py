"""Whatever comes in whichever order: the newest state of each entity, within the bound."""

import itertools
from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from processors.entities.fields import Fragment
from processors.entities.table import ReferenceTable
from schemas.envelope import JsonObject
from schemas.reference_record import Snapshot, is_newer
from tests.support.reference_records import delivery_of, snapshot

ids = st.sampled_from(["A", "B", "C"])
names = st.sampled_from(["x", "y", "z"])


@st.composite
def histories(draw: st.DrawFn) -> list[Snapshot]:
    """Snapshots of a few entities, those of an entity at different times."""
    moments = draw(st.lists(st.tuples(ids, st.integers(0, 30)), unique=True, max_size=25))
    states = st.one_of(st.none(), st.builds(lambda name: {"alias": name}, names))
    return [snapshot(id_, as_of_ms, draw(states)) for id_, as_of_ms in moments]


def whole(state: JsonObject) -> Fragment:
    return Fragment(orjson.dumps(state), b"")


def aliases(_entity: str, _id: str, state: JsonObject) -> list[str]:
    return [str(state["alias"])]


def table(limit_bytes: int = 10**9) -> ReferenceTable:
    return ReferenceTable(limit_bytes, kinds=["user"], aliases=aliases)


def newest(history: list[Snapshot]) -> dict[str, Snapshot]:
    last: dict[str, Snapshot] = {}
    for each in history:
        before = last.get(each.key.id)
        if before is None or is_newer(each.as_of_ms, before.as_of_ms, this_gone=each.state is None):
            last[each.key.id] = each
    return last


@given(histories(), st.randoms(use_true_random=False), st.sets(st.integers(0, 25)))
def test_the_newest_state_of_each_entity_is_held_and_its_aliases_follow(
    history: list[Snapshot], rng: Random, settled_at: set[int]
) -> None:
    rng.shuffle(history)
    held = table()
    for number, each in enumerate(history):
        held.take(delivery_of(each))
        if number in settled_at:
            held.settle()
    held.settle()
    last = newest(history)
    for id_, each in last.items():
        entry = held.get("a", "user", id_)
        assert entry is not None
        assert (entry.as_of_ms, entry.state) == (each.as_of_ms, each.state)
    assert sorted(held.ids("a", "user")) == sorted(i for i, e in last.items() if e.state)
    fresh = table()
    for each in last.values():
        fresh.take(delivery_of(each))
    fresh.settle()
    assert (len(held), held.size_bytes) == (len(fresh), fresh.size_bytes)
    for alias in ("x", "y", "z"):
        named = [each for each in last.values() if each.state == {"alias": alias}]
        entry = held.get("a", "user", alias)
        expected = max(named, key=lambda each: (each.as_of_ms, each.key.id), default=None)
        assert (entry and entry.as_of_ms) == (expected and expected.as_of_ms)


@given(histories(), st.integers(0, 2500), st.lists(ids, max_size=25))
def test_the_bound_holds_after_each_step(
    history: list[Snapshot], limit_bytes: int, looked_up: list[str]
) -> None:
    held = table(limit_bytes)
    for each, id_ in itertools.zip_longest(history, looked_up):
        if each is not None:
            held.take(delivery_of(each))
            assert held.size_bytes <= limit_bytes
        entry = held.get("a", "user", id_ or "A")
        if entry is not None:
            entry.fragment(whole)
        held.settle()
        assert held.size_bytes <= limit_bytes
    assert len(held) == len([each for each in "ABC" if held.get("a", "user", each) is not None])
