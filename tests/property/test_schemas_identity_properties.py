"""What does and does not change the identity of an event."""

import json
import random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import read_envelope
from schemas.identity import event_id, volatile_members

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


def body_of(found: dict[str, object], event_ts: int = 5) -> dict[str, object]:
    return {
        "event": "contact_center.user_login",
        "event_ts": event_ts,
        "payload": {"account_id": "A", "object": found},
    }


def shuffled(value: object, chance: random.Random) -> object:
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    return value


@given(members, st.randoms(use_true_random=False))
def test_order_of_members_white_space_and_escapes_do_not_change_the_id(
    found: dict[str, object], chance: random.Random
) -> None:
    compact = orjson.dumps(body_of(found))
    other = json.dumps(shuffled(body_of(found), chance), indent=2, ensure_ascii=True).encode()
    assert event_id(read_envelope(compact)) == event_id(read_envelope(other))


@given(members, st.sampled_from(sorted(volatile_members)), st.text(max_size=8))
def test_links_do_not_change_the_id(found: dict[str, object], link: str, value: str) -> None:
    with_link = {**found, link: value}
    assert event_id(read_envelope(orjson.dumps(body_of(found)))) == event_id(
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
