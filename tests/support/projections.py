"""Rows of one table of the Postgres model, as plain dictionaries, from what is told."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from runtime.values import Delivery
from schemas.headers import timestamp
from sinks.postgres.model.projection import Projection
from sinks.postgres.model.rows import read_deliveries, rows_by_table
from tests.support.enriched_records import START_MS, complete, delivery, webhook

REFERENCE_TOPIC = "zcc.reference.v1"


def event(
    name: str,
    *,
    after_s: int = 0,
    enrichment: Mapping[str, Any] | None = complete,
    revision: int = 1,
    **entity: Any,
) -> Delivery:
    """An event so many seconds after the start."""
    body = webhook(name, entity, at_ms=START_MS + after_s * 1000)
    return delivery(body, enrichment=enrichment, revision=revision)


def snapshot(
    entity: str, entity_id: str, state: Mapping[str, Any] | None, *, after_s: int = 0
) -> Delivery:
    """A record of the reference topic; without a state, one that says that it is gone."""
    as_of_ms = START_MS + after_s * 1000
    value = {
        "entity": entity,
        "account_id": "ACCOUNT",
        "id": entity_id,
        "as_of": timestamp(as_of_ms),
        "state": state,
    }
    return Delivery(
        REFERENCE_TOPIC,
        0,
        0,
        f"ACCOUNT:{entity}:{entity_id}".encode(),
        None if state is None else orjson.dumps(value),
        (),
        as_of_ms,
    )


def rows_of(projection: Projection, *told: Delivery) -> list[dict[str, Any]]:
    """The rows of a table, in the order of its key, with what is not None and no stamp."""
    read, rejections = read_deliveries(told)
    assert rejections == []
    return named(projection, rows_by_table(read).get(projection.table, []))


def named(projection: Projection, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows by the names of their columns, without stamps and what is None."""
    names = [column.name for column in projection.table.columns]
    hidden = {"account_id"} | {register.stamp.name for register in projection.registers}
    return [
        {
            name: cell
            for name, cell in zip(names, row, strict=True)
            if cell is not None and name not in hidden
        }
        for row in rows
    ]
