"""What does and does not change the identity of an event."""

import json
import random
from collections.abc import Iterator
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import events, example
from schemas.envelope import read_envelope
from schemas.identity import event_address, event_id, occurred_at_ms, volatile_members
from schemas.natural_key import natural_key

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
members = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in volatile_members),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
    ),
    max_size=6,
)


def body_of(entity: dict[str, object], event_ts: int = 5) -> dict[str, object]:
    return {
        "event": "contact_center.user_login",
        "event_ts": event_ts,
        "payload": {"account_id": "A", "object": entity},
    }


def shuffled(value: object, rng: random.Random) -> object:
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return {name: shuffled(value[name], rng) for name in names}
    if isinstance(value, list):
        return [shuffled(item, rng) for item in value]
    return value


@given(members, st.randoms(use_true_random=False))
def test_order_of_members_white_space_and_escapes_do_not_change_the_id(
    entity: dict[str, object], rng: random.Random
) -> None:
    compact = orjson.dumps(body_of(entity))
    other = json.dumps(shuffled(body_of(entity), rng), indent=2, ensure_ascii=True).encode()
    assert event_id(read_envelope(compact)) == event_id(read_envelope(other))


@given(members, st.sampled_from(sorted(volatile_members)), st.text(max_size=8))
def test_links_do_not_change_the_id(entity: dict[str, object], link: str, value: str) -> None:
    with_link = {**entity, link: value}
    assert event_id(read_envelope(orjson.dumps(body_of(entity)))) == event_id(
        read_envelope(orjson.dumps(body_of(with_link)))
    )


@given(members, members)
def test_different_objects_have_different_ids(
    one: dict[str, object], two: dict[str, object]
) -> None:
    first, second = (event_id(read_envelope(orjson.dumps(body_of(each)))) for each in (one, two))
    assert (first == second) == (
        orjson.dumps(one, option=orjson.OPT_SORT_KEYS)
        == orjson.dumps(two, option=orjson.OPT_SORT_KEYS)
    )


def called(body: bytes) -> tuple[object, ...]:
    """Everything that an event is called by."""
    envelope = read_envelope(body)
    key = b"a key"
    return (
        event_id(envelope),
        natural_key(envelope),
        occurred_at_ms(envelope),
        event_address(envelope, pseudonym_key=key).subject,
        event_address(envelope, pseudonym_key=key).partition_key,
    )


def leaves(value: Any, *, stable: bool = True) -> Iterator[tuple[Any, Any, bool]]:
    """Each (container, name or index, whether it counts) of a value that is no container."""
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        counts = stable and name not in volatile_members
        if isinstance(member, dict | list):
            yield from leaves(member, stable=counts)
        else:
            yield value, name, counts


@given(st.sampled_from(list(events)), st.randoms(use_true_random=False), st.text(max_size=8))
def test_what_every_known_event_is_called_survives_another_way_of_writing_it(
    name: str, rng: random.Random, link: str
) -> None:
    body = orjson.loads(example(name))
    for container, member, counts in list(leaves(body)):
        if not counts:
            container[member] = link
    other = json.dumps(shuffled(body, rng), indent=rng.randint(0, 3), ensure_ascii=True)
    assert called(other.encode()) == called(example(name))


@given(st.sampled_from(list(events)), st.randoms(use_true_random=False))
def test_any_other_value_anywhere_in_a_known_event_is_another_event(
    name: str, rng: random.Random
) -> None:
    body = orjson.loads(example(name))
    container, member, _ = rng.choice([leaf for leaf in leaves(body) if leaf[2]])
    value = container[member]
    container[member] = value + 1 if isinstance(value, int) else f"{value}x"
    assert event_id(read_envelope(orjson.dumps(body))) != event_id(read_envelope(example(name)))
