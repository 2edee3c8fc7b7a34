"""Two implementations of JSON Schema say the same of every example, whole and damaged."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs
import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas.catalogue import events, example, json_schema
from schemas.generation import strict

MUTATIONS = 1_000

STRANGE: Sequence[object] = (
    None,
    True,
    -1,
    7.5,
    10**30,
    "",
    "text",
    "2026-01-15T09:30:00Z",
    [],
    {},
)
"""Replaces a value."""


class Judges:
    """Both implementations over one schema, formats checked."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        checker = Draft202012Validator.FORMAT_CHECKER
        self._python = Draft202012Validator(schema, format_checker=checker)
        self._rust = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)

    def verdicts(self, value: object) -> tuple[bool, bool]:
        return self._python.is_valid(value), self._rust.is_valid(value)


@pytest.fixture(scope="module")
def judges() -> Mapping[str, Judges]:
    """By event, over the closed schemas: they say more than the open ones."""
    return {name: Judges(strict(json_schema(name))) for name in events}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each (container, name or index) inside a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in list(members):
        yield value, name
        if isinstance(member, dict | list):
            yield from places(member)


def damage(body: Any, rng: random.Random) -> None:
    """Take a value out, put another there, or add one."""
    container, name = rng.choice(list(places(body)))
    match rng.choice(["take", "put", "add", "spoil"]):
        case "take":
            del container[name]
        case "spoil" if isinstance(container[name], str):
            container[name] = container[name][:-1]
        case "add" if isinstance(container, dict):
            container["unheard_of"] = rng.choice(STRANGE)
        case _:
            container[name] = rng.choice(STRANGE)


def test_both_accept_every_example(judges: Mapping[str, Judges]) -> None:
    for name in events:
        assert judges[name].verdicts(orjson.loads(example(name))) == (True, True), name


def test_both_say_the_same_of_damaged_examples(judges: Mapping[str, Judges]) -> None:
    rng, names = random.Random(1), list(events)
    accepted = 0
    for _ in range(MUTATIONS):
        name = rng.choice(names)
        body = orjson.loads(example(name))
        for _ in range(rng.randint(1, 3)):
            damage(body, rng)
        python, rust = judges[name].verdicts(body)
        assert python == rust, (name, body)
        accepted += python
    assert MUTATIONS // 20 < accepted < MUTATIONS - MUTATIONS // 20  # both verdicts were tried
