"""Members of a JSON object, as columns can hold them."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sinks.postgres.model import json_fields


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (json_fields.text, "a", "a"),
        (json_fields.text, "", None),
        (json_fields.text, 5, None),
        (json_fields.id_text, "x" * json_fields.longest_id, "x" * json_fields.longest_id),
        (json_fields.id_text, "x" * (json_fields.longest_id + 1), None),
        (json_fields.id_text, "", None),
        (json_fields.id_text, 7, None),
        (json_fields.texts, ["a", 1, "b", None], ("a", "b")),
        (json_fields.texts, [], ()),
        (json_fields.texts, "a", None),
        (json_fields.moment_ms, "1970-01-01T01:00:00.5+01:00", 500),
        (json_fields.moment_ms, "1970-01-01T00:00:01Z", 1000),
        (json_fields.moment_ms, "1970-01-01T00:00:01", None),
        (json_fields.moment_ms, "yesterday", None),
        (json_fields.moment_ms, 5, None),
        (json_fields.moment_ms, "0001-01-01T00:00:00Z", -62_135_596_800_000),
        (json_fields.moment_ms, "0001-01-01T00:00:00+00:01", None),
        (json_fields.moment_ms, "9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        (json_fields.moment_ms, "9999-12-31T23:59:59-14:00", None),
        (json_fields.integer, 2**31 - 1, 2**31 - 1),
        (json_fields.integer, -(2**31), -(2**31)),
        (json_fields.integer, 2**31, None),
        (json_fields.integer, True, None),
        (json_fields.integer, "5", None),
        (json_fields.bigint, 2**63 - 1, 2**63 - 1),
        (json_fields.bigint, 2**63, None),
        (json_fields.flag, False, False),
        (json_fields.flag, 0, None),
        (json_fields.json, {"a": [1]}, b'{"a":[1]}'),
        (json_fields.json, [], b"[]"),
        (json_fields.json, "a", None),
        (json_fields.object_in, {"a": 1}, {"a": 1}),
        (json_fields.object_in, [], None),
    ],
)
def test_a_member_is_read_as_its_column_holds_it_or_counts_as_absent(
    read: Callable[[Any, str], Any], value: Any, expected: Any
) -> None:
    assert read({"member": value}, "member") == expected
    assert read({}, "member") is None


def test_only_the_objects_of_an_array_are_read() -> None:
    entity = {"list": [{"a": 1}, "b", None, {}]}
    assert list(json_fields.objects_in(entity, "list")) == [{"a": 1}, {}]
    assert list(json_fields.objects_in({"list": {"a": 1}}, "list")) == []


def test_a_number_beyond_every_integer_is_absent() -> None:
    entity = orjson.loads(b'{"n":123456789012345678901234567890}')
    assert json_fields.bigint(entity, "n") is None
