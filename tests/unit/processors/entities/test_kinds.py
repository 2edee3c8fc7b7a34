"""The kinds agree with the vendor's document, member by member."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from processors.entities.kind import Kind, ListDivision
from processors.entities.kinds import kinds
from zoom.catalogue import find, reply_schema

_volatile = (
    "count",
    "counts",
    "total_users",
    "total_contacts",
    "total_agent_routing_profiles",
    "status_id",
    "sub_status_id",
    "modified_by",
    "last_modified_time",
    "modify_time",
)

each_kind = pytest.mark.parametrize("kind", kinds.values(), ids=kinds.keys())
each_looked_up = pytest.mark.parametrize(
    "kind",
    [kind for kind in kinds.values() if kind.get_operation],
    ids=[name for name, kind in kinds.items() if kind.get_operation],
)


def test_there_is_a_kind_for_each_list_that_is_read_in_advance() -> None:
    assert len(kinds) == len({kind.list_operation for kind in kinds.values()}) == 25


@each_kind
def test_lists_and_lookups_read_and_the_kind_says_how_to_call_them(kind: Kind) -> None:
    operation = find(kind.list_operation)

    assert not operation.writes
    assert operation.reply.items is not None
    assert _required(kind.list_operation) == _divided_by(kind.division)


@each_looked_up
def test_a_lookup_takes_the_id_as_its_only_required_argument(kind: Kind) -> None:
    operation = find(kind.get_operation or "")

    assert not operation.writes
    assert [p.name for p in operation.parameters if p.required] == [operation.parameters[0].name]


@each_kind
def test_a_division_names_values_of_the_vendor_or_the_members_of_another_list(kind: Kind) -> None:
    operation, division = kind.list_operation, kind.division
    while division is not None:
        parameter = next(p for p in find(operation).parameters if p.name == division.parameter)
        if division.operation:
            assert division.member in _item_members(division.operation)
            assert _required(division.operation) == _divided_by(division.division)
        else:
            assert set(division.values) == set(parameter.values)
        operation = division.operation
        division = division.division


@each_kind
def test_a_state_keeps_its_ids_and_no_member_twice(kind: Kind) -> None:
    assert {kind.id_field, *kind.alias_fields} <= set(kind.kept)
    assert len(set(kind.kept)) == len(kind.kept)


@each_kind
def test_without_detail_the_list_gives_all_kept_members(kind: Kind) -> None:
    if not kind.detail:
        assert set(kind.kept) <= _item_members(kind.list_operation)


@each_looked_up
def test_a_lookup_gives_all_kept_members(kind: Kind) -> None:
    given = {kind.renamed.get(m, m) for m in _members(reply_schema(find(kind.get_operation or "")))}

    assert set(kind.kept) <= given


@each_kind
def test_detail_is_for_members_that_the_list_does_not_give(kind: Kind) -> None:
    missing = set(kind.kept) - _item_members(kind.list_operation)

    assert kind.detail == bool(missing)
    assert not kind.detail or kind.get_operation


@each_kind
def test_no_count_and_no_state_of_the_day_is_kept(kind: Kind) -> None:
    suffixes = tuple(f"_{word}" for word in _volatile[:2])
    kept = set(kind.kept) - ({"status_id"} if kind.entity == "system_status" else set())

    assert not [member for member in kept if member in _volatile or member.endswith(suffixes)]


@each_kind
def test_the_list_gives_the_id_so_that_it_can_be_looked_up(kind: Kind) -> None:
    assert kind.id_field in _item_members(kind.list_operation)


def _required(operation: str) -> set[str]:
    return {parameter.name for parameter in find(operation).parameters if parameter.required}


def _divided_by(division: ListDivision | None) -> set[str]:
    return set() if division is None else {division.parameter}


def _item_members(operation: str) -> set[str]:
    schema, items = reply_schema(find(operation)), find(operation).reply.items
    assert schema is not None
    return set(_members(schema["properties"][items or ""]["items"]))


def _members(schema: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the members of an object, those of its alternatives included."""
    assert schema is not None
    yield from schema.get("properties", {})
    for combined in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(combined, ()):
            yield from _members(part)
