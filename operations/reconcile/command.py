"""`zcc reconcile`: one look at every place, and what is missing where.

Events in dead letters are settled: a person decides on them. What lies in quarantine is no event
yet, and is counted beside them.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import typer

from operations.reconcile.accounting import Accounting, account
from operations.reconcile.stores import DataStores, read_all_stores
from runtime.errors import ConfigurationError

shown_ids = 20


async def run(places: DataStores, *, ledger: Path | None, as_json: bool) -> int:
    """Print the accounting; return 0 if nothing is unaccounted for, else 1."""
    found, stored = await read_all_stores(places, accepted=_accepted(ledger) if ledger else None)
    result = account(found)
    aside = {worker: len(ids) for worker, ids in found.set_aside.items()}
    show = _json if as_json else _lines
    typer.echo(show(result, aside, stored.quarantined))
    return 0 if result.complete else 1


def _accepted(ledger: Path) -> frozenset[str]:
    try:
        from simulator.webhooks.ledger import read_ledger
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a ledger is written by the simulator, which the installed product does not carry"
        ) from None
    return read_ledger(ledger).accepted_ids


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
    for place, ids in result.missing.items():
        lines.append(f"missing in {place}: {len(ids)}")
        lines += [f"  {event_id}" for event_id in ids[:shown_ids]]
        if len(ids) > shown_ids:
            lines.append(f"  and {len(ids) - shown_ids} more (--json shows all)")
    return "\n".join(lines)
