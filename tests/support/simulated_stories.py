"""The simulator's stories as deliveries of enriched topics, and what they look like in tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

import orjson

from runtime.values import Delivery
from schemas.envelope import JsonObject
from simulator.company import make_company
from simulator.stories import stories
from simulator.stories.schedule import first_round
from sinks.postgres.model.tables import Table
from tests.support.enriched_records import complete, delivery

START = datetime(2026, 3, 1, 10, tzinfo=UTC)

Stored = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Rows by table and key; a row is a dict of its cells by column."""


@cache
def told_stories() -> Sequence[Sequence[Delivery]]:
    """The first round, which holds every event; names come with a second revision, at times."""
    company = make_company(1)
    told = islice(stories(company, seed=1, start=START), len(first_round))
    return [[each for event in story for each in _revisions(event.body)] for story in told]


def _revisions(body: bytes) -> Sequence[Delivery]:
    entity = orjson.loads(body)["payload"]["object"]
    found = {
        **complete,
        "users": _named(entity, "user_id", "display_name"),
        "queues": _named(entity, "cc_queue_id", "queue_name"),
    }
    if len(body) % 3:
        return [delivery(body, enrichment=found)]
    return [delivery(body), delivery(body, enrichment=found, revision=2)]


def _named(entity: JsonObject, member: str, name: str) -> Mapping[str, Any]:
    found = entity.get(member)
    return {found: {member: found, name: f"Name of {found}"}} if isinstance(found, str) else {}


def stored_rows(rows: Mapping[Table, Iterable[Sequence[Any]]]) -> Stored:
    """The same rows by table and key."""
    stored: Stored = {}
    for table, found in rows.items():
        names = [column.name for column in table.columns]
        for row in found:
            named = dict(zip(names, row, strict=True))
            stored.setdefault(table.name, {})[tuple(named[n] for n in table.key)] = named
    return stored
