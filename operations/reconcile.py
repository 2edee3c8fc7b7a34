"""`zcc reconcile`: one look at every place, and what is missing where."""

import json
from pathlib import Path

import typer

from operations.accounting import Accounting, account
from operations.places import Places, look
from runtime.errors import ConfigurationError

shown_ids = 20


async def run(places: Places, *, ledger: Path | None, as_json: bool) -> int:
    """Print the accounting; return 0 if nothing is unaccounted for, else 1."""
    found, _ = await look(places, accepted=_accepted(ledger) if ledger else None)
    result = account(found)
    typer.echo(_json(result) if as_json else _lines(result))
    return 0 if result.complete else 1


def _accepted(ledger: Path) -> frozenset[str]:
    try:
        from simulator.ledger import read_ledger
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a ledger is written by the simulator, which the installed product does not carry"
        ) from None
    return read_ledger(ledger).accepted_ids


def _json(result: Accounting) -> str:
    return json.dumps(
        {
            "accepted": result.accepted,
            "unaccounted": result.unaccounted,
            "missing": dict(result.missing),
        }
    )


def _lines(result: Accounting) -> str:
    lines = [f"accepted     {result.accepted}", f"unaccounted  {len(result.unaccounted)}"]
    for place, ids in result.missing.items():
        lines.append(f"missing in {place}: {len(ids)}")
        lines += [f"  {event_id}" for event_id in ids[:shown_ids]]
        if len(ids) > shown_ids:
            lines.append(f"  and {len(ids) - shown_ids} more (--json shows all)")
    return "\n".join(lines)
