"""Every member of every event is stored in a typed column, or it is known why not.

A member is stored where another value of it makes another row. The members are those of the JSON
Schemas, the events the examples of the contract, which have every member.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from sinks.postgres.model.rows import raw_table, read_deliveries, rows_by_table
from tests.support.enriched_records import delivery, with_header

root = Path(__file__).parents[5] / "schemas"

_nobodys_teams: Final = "teams of nobody who is named; those of users are engagement_participant's"
_queues_own: Final = "a setting of the queue, which does not decide about the wait; see queue"

raw_only: Final[Mapping[tuple[str, str], str]] = {
    ("engagement", "dtmf_input"): "may be digits of a card or a secret: not copied any further",
    ("task", "teams[].team_id"): _nobodys_teams,
    ("task", "teams[].team_name"): _nobodys_teams,
    ("task", "queue_description"): _queues_own,
    ("task", "channel_types[]"): _queues_own,
    ("task", "dispositions_count"): _queues_own,
    ("task", "disposition_sets_count"): _queues_own,
    ("task", "connecting_media_id"): _queues_own,
    ("task", "connecting_media_name"): _queues_own,
    ("task", "transferring_media_id"): _queues_own,
    ("task", "transferring_media_name"): _queues_own,
    ("task", "holding_media_id"): _queues_own,
    ("task", "holding_media_name"): _queues_own,
    ("task", "waiting_room_id"): _queues_own,
    ("task", "waiting_room_name"): _queues_own,
    ("task", "message_accept"): _queues_own,
    ("inbox", "teams[].team_id"): _nobodys_teams,
    ("inbox", "teams[].team_name"): _nobodys_teams,
    ("team", "previous_parent_team_id"): "what the team was before the event: its former state",
    ("team", "previous_parent_team_name"): "what the team was before the event: its former state",
}
"""Why a member of a family's events is in the raw event only, where some event of the family has it
so. Deprecated ones are, because another member says the same."""


@dataclass(frozen=True)
class Member:
    """One member of an event, with its schema; ``path`` leads to it from ``payload.object``."""

    event: str
    path: tuple[str, ...]
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        return ".".join(self.path).replace(".[]", "[]")


def members(event: str, schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Member]:
    if "properties" in schema:
        for name, child in schema["properties"].items():
            yield from members(event, child, (*path, name))
    elif schema.get("type") == "array":
        yield from members(event, schema["items"], (*path, "[]"))
    else:
        yield Member(event, path, schema)


def all_members() -> Iterator[tuple[str, Member, dict[str, Any]]]:
    for file in sorted((root / "webhooks").glob("*/*.schema.json")):
        family, event = file.parent.name, file.name.removesuffix(".schema.json")
        schema = orjson.loads(file.read_bytes())["properties"]["payload"]["properties"]["object"]
        example = orjson.loads((root / "examples" / family / f"{event}.json").read_bytes())
        for member in members(event, schema):
            yield family, member, example


cases = list(all_members())


def values(member: Member) -> tuple[Any, Any]:
    """Two values that a member may have."""
    known = member.schema.get("x-known-values", [])
    match member.schema.get("type"):
        case "integer" | "number":
            return 3, 5
        case "boolean":
            return True, False
        case _ if member.schema.get("format") in ("date-time", "datetime"):
            return "2026-03-01T10:00:00.000Z", "2026-03-01T10:00:01.000Z"
        case _ if len(known) > 1:
            return known[0], known[1]
        case _:
            return "one@example.com", "two@example.com"


def written(example: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Any:
    """The rows of an example in which a member has some value; the id of the event stays."""
    body = deepcopy(dict(example))
    place = body["payload"]["object"]
    if path[0] == "updates":  # one at a time: the example adds and deletes the same thing
        place["updates"] = {path[1]: place["updates"][path[1]]}
    for step in path[:-1]:
        place = place[0] if step == "[]" else place[step]
    place[0 if path[-1] == "[]" else path[-1]] = value
    record = with_header(delivery(orjson.dumps(body)), "zcc-event-id", b"a" * 64)
    messages, rejections = read_deliveries([record])
    assert rejections == []
    rows = rows_by_table(messages)
    return {table.name: table_rows for table, table_rows in rows.items() if table is not raw_table}


def stored(member: Member, example: Mapping[str, Any]) -> bool:
    one, two = values(member)
    return bool(written(example, member.path, one) != written(example, member.path, two))


def test_every_event_of_the_contract_is_looked_at() -> None:
    assert len({member.event for _, member, _ in cases}) == 124


@pytest.mark.parametrize("family", sorted({family for family, _, _ in cases}))
def test_members_of_a_family_are_stored_or_have_a_reason_not_to_be(family: str) -> None:
    lost = {
        (family, member.name)
        for its, member, example in cases
        if its == family and "deprecated" not in member.schema and not stored(member, example)
    }
    assert lost == {place for place in raw_only if place[0] == family}
