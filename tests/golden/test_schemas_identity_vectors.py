"""The identity of every event does not change: id, natural key, time, subject, key.

An id that changes makes every consumer see old events as new ones. The vectors follow from the
examples; after a change of these, `python -m tests.golden.test_schemas_identity_vectors` writes
them again.
"""

import json
from pathlib import Path

import orjson
import pytest

from schemas.catalogue import events, example
from schemas.envelope import read_envelope
from schemas.headers import timestamp
from schemas.identity import event_address, event_id, occurred_at_ms
from schemas.natural_key import natural_key
from simulator.webhooks.identity import event_id as senders_event_id
from tests.support.each_case import each_case

VECTORS = Path(__file__).with_name("event_identity.json")
PSEUDONYM_KEY = b"pseudonym-key-of-the-vectors"


def vector(name: str) -> dict[str, object]:
    envelope = read_envelope(example(name))
    return {
        "event_id": event_id(envelope),
        "natural_key": list(natural_key(envelope)),
        "occurred_at": timestamp(occurred_at_ms(envelope)),
        "subject": event_address(envelope, pseudonym_key=PSEUDONYM_KEY).subject,
        "partition_key": event_address(envelope, pseudonym_key=PSEUDONYM_KEY).partition_key,
    }


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = orjson.loads(VECTORS.read_bytes())
    return loaded


@each_case("name", events)
def test_an_event_is_called_as_it_always_was(
    name: str, vectors: dict[str, dict[str, object]]
) -> None:
    assert vector(name) == vectors[name]


@each_case("name", events)
def test_another_computation_gives_the_same_id(
    name: str, vectors: dict[str, dict[str, object]]
) -> None:
    assert senders_event_id(example(name)) == vectors[name]["event_id"]


def test_there_is_a_vector_for_each_event_and_all_are_different(
    vectors: dict[str, dict[str, object]],
) -> None:
    assert vectors.keys() == events.keys()
    assert len({each["event_id"] for each in vectors.values()}) == len(events)
    assert len({str(each["natural_key"]) for each in vectors.values()}) == len(events)


def test_no_part_of_a_natural_key_is_missing_where_all_members_are_there(
    vectors: dict[str, dict[str, object]],
) -> None:
    assert [name for name, each in vectors.items() if "" in each["natural_key"]] == []  # type: ignore[operator] # a list


if __name__ == "__main__":
    VECTORS.write_text(json.dumps({name: vector(name) for name in events}, indent=1) + "\n")
