"""Reads the ledger that the simulator writes."""

from pathlib import Path

from simulator.webhooks.ledger import read_ledger


def accepted_ids(path: Path) -> frozenset[str]:
    """Return the ids of the events that were accepted."""
    return read_ledger(path).accepted_ids
