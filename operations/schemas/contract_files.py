"""`zcc schemas`: write the contract from the vendor's document, and compare two documents."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import typer

from operations.generated_files import read_source, write_changed
from runtime.errors import ConfigurationError
from schemas.catalogue import events
from schemas.generation import (
    Difference,
    Schema,
    SchemaSourceError,
    artefacts,
    differences,
    json_schemas,
    read_document,
)


def generate(webhooks: Path, out: Path) -> list[Path]:
    """Write schemas, models and examples of all events below ``out``.

    Nothing is written before all of it is known, and no file is ever there in part.

    Returns:
        The files that are new or changed.

    Raises:
        ConfigurationError: the document cannot be used, or ``out`` cannot be written; one line.
    """
    try:
        files = dict(artefacts(read_document(read_source(webhooks)), events))
    except SchemaSourceError as error:
        raise ConfigurationError(f"{webhooks}{error}") from None
    return write_changed(files, out)


def diff(old: Path, new: Path, *, as_json: bool) -> int:
    """Print what changes from the document ``old`` to ``new``.

    Returns:
        The exit code: 1 if a change breaks consumers, else 0.

    Raises:
        ConfigurationError: one of them cannot be used; one line.
    """
    changes = differences(_schemas(old), _schemas(new))
    breaking = any(each.breaking for each in changes)
    if as_json:
        document = {"breaking": breaking, "differences": [asdict(each) for each in changes]}
        typer.echo(json.dumps(document))
    else:
        typer.echo("\n".join(diff_lines(changes)))
    return int(breaking)


def diff_lines(compared: Iterable[Difference]) -> Iterator[str]:
    """Yield the report: each event with its changes, ``!`` before those that break; a sum."""
    compared = tuple(compared)
    for event, changes in groupby(compared, lambda each: each.event):
        yield event
        for each in changes:
            path = f"{each.path}: " if each.path else ""
            detail = f": {each.detail}" if each.detail else ""
            yield f"  {'!' if each.breaking else ' '} {path}{each.change}{detail}"
    counts = Counter(each.change for each in compared)
    sums = ", ".join(f"{change}: {count}" for change, count in counts.items()) or "no change"
    yield f"{sums}; breaking: {sum(each.breaking for each in compared)}"


def _schemas(path: Path) -> dict[str, Schema]:
    try:
        return dict(json_schemas(read_document(read_source(path))))
    except SchemaSourceError as error:
        raise ConfigurationError(f"{path}{error}") from None
