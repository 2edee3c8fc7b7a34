"""Members of a JSON object, as columns can hold them."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sinks.postgres import members


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (members.text, "a", "a"),
        (members.text, "", None),
        (members.text, 5, None),
        (members.id_text, "x" * members.longest_id, "x" * members.longest_id),
        (members.id_text, "x" * (members.longest_id + 1), None),
        (members.id_text, "", None),
        (members.id_text, 7, None),
        (members.texts, ["a", 1, "b", None], ("a", "b")),
        (members.texts, [], ()),
        (members.texts, "a", None),
        (members.moment_ms, "1970-01-01T01:00:00.5+01:00", 500),
        (members.moment_ms, "1970-01-01T00:00:01Z", 1000),
        (members.moment_ms, "1970-01-01T00:00:01", None),
        (members.moment_ms, "yesterday", None),
        (members.moment_ms, 5, None),
        (members.moment_ms, "0001-01-01T00:00:00Z", -62_135_596_800_000),
        (members.moment_ms, "0001-01-01T00:00:00+00:01", None),
        (members.moment_ms, "9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        (members.moment_ms, "9999-12-31T23:59:59-14:00", None),
        (members.integer, 2**31 - 1, 2**31 - 1),
        (members.integer, -(2**31), -(2**31)),
        (members.integer, 2**31, None),
        (members.integer, True, None),
        (members.integer, "5", None),
        (members.bigint, 2**63 - 1, 2**63 - 1),
        (members.bigint, 2**63, None),
        (members.flag, False, False),
        (members.flag, 0, None),
        (members.json, {"a": [1]}, b'{"a":[1]}'),
        (members.json, [], b"[]"),
        (members.json, "a", None),
        (members.object_in, {"a": 1}, {"a": 1}),
        (members.object_in, [], None),
    ],
)
def test_a_member_is_read_as_its_column_holds_it_or_counts_as_absent(
    read: Callable[[Any, str], Any], value: Any, expected: Any
) -> None:
    assert read({"member": value}, "member") == expected
    assert read({}, "member") is None


def test_only_the_objects_of_an_array_are_read() -> None:
    entity = {"list": [{"a": 1}, "b", None, {}]}
    assert list(members.objects_in(entity, "list")) == [{"a": 1}, {}]
    assert list(members.objects_in({"list": {"a": 1}}, "list")) == []


def test_a_number_beyond_every_integer_is_absent() -> None:
    entity = orjson.loads(b'{"n":123456789012345678901234567890}')
    assert members.bigint(entity, "n") is None
