"""`zcc reconcile`: reads every store once and prints which events are missing where.

Events in dead letters are settled: a person decides on them. A record in quarantine is no event
yet; it is counted separately.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast

import typer

from operations.lazy import load_from_checkout
from operations.reconcile.accounting import Accounting, account
from operations.reconcile.stores import DataStores, read_all_stores
from operations.settings.loading import read_settings
from runtime.settings import KafkaSettings
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.settings import PostgresSettings

shown_ids = 20


def reconcile(
    *,
    ledger: Annotated[
        Path | None, typer.Option(help="Ledger of the accepted events; default: the raw topics.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare topics, Postgres and objects; exit 1 if an event is missing anywhere."""
    stores = DataStores(
        kafka=read_settings(KafkaSettings),
        postgres=read_settings(PostgresSettings),
        object_storage=read_settings(ObjectStorageSettings),
    )
    raise typer.Exit(asyncio.run(run(stores, ledger=ledger, as_json=as_json)))


async def run(stores: DataStores, *, ledger: Path | None, as_json: bool) -> int:
    """Print the accounting; return 0 if nothing is unaccounted for, else 1."""
    stored_ids, stored = await read_all_stores(
        stores, accepted=_accepted(ledger) if ledger else None
    )
    result = account(stored_ids)
    aside = {worker: len(ids) for worker, ids in stored_ids.dead_lettered.items()}
    show = _json if as_json else _lines
    typer.echo(show(result, aside, stored.quarantined))
    return 0 if result.complete else 1


def _accepted(ledger: Path) -> frozenset[str]:
    accepted = load_from_checkout(
        "operations.reconcile.ledger:accepted_ids",
        error="the simulator writes ledgers, and the installed product does not contain it",
    )
    return cast("frozenset[str]", accepted(ledger))


def _json(result: Accounting, aside: Mapping[str, int], quarantined: int) -> str:
    return json.dumps(
        {
            "accepted": result.accepted,
            "unaccounted": result.unaccounted,
            "missing": dict(result.missing),
            "dead_letters": dict(aside),
            "quarantined": quarantined,
        }
    )


def _lines(result: Accounting, aside: Mapping[str, int], quarantined: int) -> str:
    by_worker = ", ".join(f"{worker} {count}" for worker, count in aside.items() if count)
    lines = [
        f"accepted      {result.accepted}",
        f"unaccounted   {len(result.unaccounted)}",
        f"dead letters  {sum(aside.values())}{f' ({by_worker})' if by_worker else ''}",
        f"quarantined   {quarantined}",
    ]
    for store, ids in result.missing.items():
        lines.append(f"missing in {store}: {len(ids)}")
        lines += [f"  {event_id}" for event_id in ids[:shown_ids]]
        if len(ids) > shown_ids:
            lines.append(f"  and {len(ids) - shown_ids} more (--json shows all)")
    return "\n".join(lines)
