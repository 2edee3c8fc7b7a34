"""Whatever is JSON by RFC 8259 is read, keeps one identity, and becomes what the stores take."""

import json
import random
from collections.abc import Mapping
from typing import Self

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Envelope, envelope_of, parse_json
from schemas.identity import event_address, event_id
from schemas.models import read
from sinks.postgres.model.content import read_content

any_text = st.text(st.characters(), max_size=6)
halves = st.text(st.characters(categories=["Cs"]), max_size=3)
numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,25})?", fullmatch=True
)


class Literal(int):
    """A number that is written as it stands, which `json.dumps` does for no other type."""

    def __new__(cls, text: str) -> Self:
        literal = super().__new__(cls, 0)
        literal.text = text
        return literal

    text: str


def texts(value: object, rng: random.Random) -> str:
    """Write a value in one of the many ways that the grammar has."""
    blank = rng.choice(["", " ", "\n\t", "\r"])
    if isinstance(value, Literal):
        return blank + value.text + blank
    if isinstance(value, dict):
        members = [f"{texts(name, rng)}:{texts(member, rng)}" for name, member in value.items()]
        rng.shuffle(members)
        return f"{blank}{{{','.join(members)}{blank}}}"
    if isinstance(value, list):
        return f"[{','.join(texts(item, rng) for item in value)}]{blank}"
    return blank + json.dumps(value, ensure_ascii=True) + blank


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | any_text
    | halves
    | numbers.map(Literal)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(any_text | halves, inner, max_size=3)
    ),
    max_leaves=10,
)
members = st.dictionaries(any_text | halves, values, max_size=4)


def webhook(entity: Mapping[str, object], others: Mapping[str, object]) -> dict[str, object]:
    return {
        "event": "contact_center.engagement_started",
        "event_ts": 1_796_000_000_000,
        "payload": {**others, "account_id": "A", "object": {**entity, "engagement_id": "E"}},
    }


def written_envelope(text: str) -> Envelope:
    value, exact = parse_json(text.encode())
    return envelope_of(value if exact is None else exact)


@given(members, members, st.randoms(use_true_random=False))
def test_it_is_an_event_with_one_identity_however_it_is_written(
    entity: dict[str, object], others: dict[str, object], rng: random.Random
) -> None:
    one, two = (texts(webhook(entity, others), rng) for _ in range(2))
    assert event_id(written_envelope(one)) == event_id(written_envelope(two))
    envelope = envelope_of(parse_json(one.encode()).value)
    assert event_address(envelope, pseudonym_key=b"key").partition_key == "A:E"


@given(members, st.sampled_from([b"", b"\xef\xbb\xbf"]), st.randoms(use_true_random=False))
def test_it_becomes_what_strict_parsers_and_jsonb_take(
    entity: dict[str, object], mark: bytes, rng: random.Random
) -> None:
    body = texts(webhook(entity, {}), rng).encode()
    body = mark + body
    value = parse_json(body).value
    assert orjson.loads(orjson.dumps(value)) == value
    enriched = b'%b,"enrichment":{"status":"complete"}}' % body[: body.rindex(b"}")]
    content = read_content(enriched)
    assert content.verbatim in {None, body}
    assert content.enrichment == b'{"status":"complete"}'
    stored = content.payload
    assert orjson.loads(stored) is not None
    assert b"\\u0000" not in stored.replace(b"\\\\", b"")
    stored.decode()
    assert read(enriched).event.event == "contact_center.engagement_started"


@given(values, values)
def test_values_that_are_written_differently_are_different_events(one: object, two: object) -> None:
    first, second = (
        written_envelope(texts(webhook({"x": each}, {}), random.Random(1))) for each in (one, two)
    )
    assert (event_id(first) == event_id(second)) == same(first, second)


def same(one: Envelope, two: Envelope) -> bool:
    """Whether the canonical forms agree, in which 1.0 and true are not 1."""
    return json.dumps(one.object, sort_keys=True) == json.dumps(two.object, sort_keys=True)
