"""Prints letters and groups of them, as tables and lines for people or as JSON for programs."""

import json
import sys
from collections.abc import AsyncIterator
from typing import Final, TextIO

import typer
from rich.console import Console
from rich.table import Table

from operations.dead_letters import views
from operations.dead_letters.actions import Act, ActionRefused
from operations.dead_letters.audit import Handling
from operations.dead_letters.executor import Plan
from operations.dead_letters.letter import Letter, RecordId
from operations.dead_letters.reading import DeadLetterReading
from operations.dead_letters.summary import Earliest, Summary
from operations.printable import printable

_columns: Final = 240
"""Width of a table in a file: a letter has one line."""


async def print_letters(
    readings: AsyncIterator[DeadLetterReading], *, as_json: bool, limit: int
) -> int:
    """Print each letter as JSON, or the ``limit`` earliest in a table; return their number."""
    earliest, handlings = Earliest(limit), dict[RecordId, Handling]()
    async for _, letter, handling in readings:
        earliest.add(letter)
        if as_json:
            _print_object(views.letter_object(letter, handling))
        elif handling is not None:
            handlings[letter.record_id] = handling
    if not as_json:
        rows = [(letter, handlings.get(letter.record_id)) for letter in earliest.letters]
        _print_table(views.letters_table(rows), sys.stdout)
        if len(rows) < earliest.added:
            typer.echo(f"{len(rows)} of {earliest.added}: see --summary, --limit, --json", err=True)
    return earliest.added


async def print_summary(readings: AsyncIterator[DeadLetterReading], *, as_json: bool) -> int:
    """Print the number of letters by fingerprint; return the sum."""
    summary = Summary()
    async for _, letter, _ in readings:
        summary.add(letter)
    if as_json:
        for group in summary.groups:
            _print_object(views.group_object(group))
    else:
        _print_table(views.groups_table(summary.groups), sys.stdout)
    return sum(group.count for group in summary.groups)


async def print_whole(
    readings: AsyncIterator[DeadLetterReading], wanted: RecordId, *, body: bool, as_json: bool
) -> int:
    """Print the letters with this record id or origin; return their number."""
    count = 0
    async for delivery, letter, handling in readings:
        if wanted not in (letter.record_id, letter.origin):
            continue
        count += 1
        if as_json:
            content = views.body_object(delivery.value) if body else {}
            _print_object(views.whole_letter_object(delivery, letter, handling) | content)
        else:
            for line in views.whole_letter_lines(delivery, letter, handling):
                typer.echo(line)
            for line in views.body_lines(delivery.value) if body else ():
                typer.echo(line)
    return count


def print_plan(plan: Plan, *, as_json: bool, to: TextIO) -> None:
    """Print the planned actions by fingerprint, and the refusals by reason."""
    if as_json:
        for group in plan.groups:
            _print_object(views.group_object(group), to)
        for why, count in plan.refused.items():
            _print_object({"refused": count, "why": why}, to)
        return
    _print_table(views.groups_table(plan.groups), to)
    for why, count in plan.refused.items():
        typer.echo(f"refused {count}: {printable(why)}", file=to)


def print_outcome(letter: Letter, outcome: Act | ActionRefused, *, as_json: bool) -> None:
    """Print the outcome for a letter."""
    if as_json:
        _print_object(views.outcome_object(letter, outcome))
    else:
        typer.echo(views.outcome_line(letter, outcome))


def _print_object(document: views.JsonObject, to: TextIO | None = None) -> None:
    typer.echo(json.dumps(document), file=to)


def _print_table(table: Table, to: TextIO) -> None:
    if table.row_count:
        Console(file=to, width=None if to.isatty() else _columns).print(table)
