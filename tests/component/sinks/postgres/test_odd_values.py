"""Values that Postgres cannot hold stop nothing, whatever table they are for."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from schemas import catalogue
from sinks.postgres.migrate import migrate
from tests.support.enriched_records import complete, delivery
from tests.support.postgres import owner, query

Odd = Callable[[Any], Any]


def with_nul(value: Any) -> Any:
    return f"a\0{value}" if isinstance(value, str) else value


def beyond_bigint(value: Any) -> Any:
    return 2**63 if type(value) is int else value


def below_bigint(value: Any) -> Any:
    return -(2**63) - 1 if type(value) is int else value


def of_another_type(value: Any) -> Any:
    return 1.5 if isinstance(value, str) else str(value)


def time(text: str) -> Odd:
    return lambda value: text if isinstance(value, str) and value.startswith("20") else value


def odd(node: Any, change: Odd) -> Any:
    if isinstance(node, dict):
        return {member: odd(value, change) for member, value in node.items()}
    if isinstance(node, list):
        return [odd(item, change) for item in node]
    return change(node)


@pytest.mark.parametrize(
    "change",
    [
        with_nul,
        beyond_bigint,
        below_bigint,
        of_another_type,
        lambda value: f"{value}{'x' * 9_000}" if isinstance(value, str) else value,
        time("0001-01-01T00:00:00Z"),
        time("9999-12-31T23:59:59-14:00"),
        time("2026-02-30T00:00:00Z"),
    ],
    ids=["NUL", "bigint", "-bigint", "types", "long", "year 1", "year 9999", "no date"],
)
async def test_every_event_with_odd_values_is_stored(database_dsn: str, change: Odd) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    deliveries = []
    for event in catalogue.events:
        body = orjson.loads(catalogue.example(event))
        body["payload"]["object"] = odd(body["payload"]["object"], change)
        deliveries.append(delivery(json.dumps(body).encode(), enrichment=odd(complete, with_nul)))
    async with owner(database_dsn) as sink:
        assert await sink.store(deliveries) == ()
    rows = await query(database_dsn, "select distinct event from zcc.raw_event")
    assert {row["event"] for row in rows} == set(catalogue.events)
