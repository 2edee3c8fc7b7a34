"""`zcc api`: lists, describes, calls and generates the operations of Zoom's REST API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.console import RenderableType

from operations.api.descriptions import has_deprecated
from operations.api.lookup import find_operation
from operations.api.output import console
from operations.api.views import described, described_object, operation_object, operations_table
from operations.command_group import LazyCommand, group_of
from operations.generated_files import read_source, write_changed
from runtime.errors import ConfigurationError
from schemas.generation import SchemaSourceError, read_document
from zoom.catalogue import Operation, operations
from zoom.generation import artefacts

_commands: Final = {
    "call": LazyCommand(
        "operations.api.call_command:call_app",
        "Ask an operation, its parameters as options: --user-id ID, --channels chat,sms.",
    ),
    "download": LazyCommand(
        "operations.api.call_command:download",
        "Fetch a recording, a transcript or an attachment.",
    ),
    "budget": LazyCommand(
        "operations.api.budget_command:budget",
        "Print rate limits, the share of one worker, and how much of it is used today.",
    ),
}
"""Those that need a client of the API."""

api_app: Final = typer.Typer(help="Zoom's REST API.", cls=group_of(_commands), no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which operations to list; None and "" and False admit all.

    ``tag`` is Zoom's name of a group or ours (``resource``), ``scope`` and ``text`` are parts: of a
    scope; of the name, the path, a parameter or the name that Zoom has for it.
    """

    text: str = ""
    tag: str = ""
    method: str | None = None
    label: str | None = None
    scope: str = ""
    deprecated: bool = False

    def admits(self, operation: Operation) -> bool:
        """Whether an operation is wanted."""
        names = (operation.name, operation.path, operation.vendor_id)
        parameters = (parameter.name for parameter in operation.parameters)
        return (
            any(self.text.casefold() in each.casefold() for each in (*names, *parameters))
            and self.tag.casefold() in {"", operation.tag.casefold(), operation.resource}
            and self.method in {None, operation.method}
            and self.label in {None, operation.label.value}
            and any(self.scope in scope for scope in operation.scopes.all or ("",))
            and (has_deprecated(operation) or not self.deprecated)
        )


@api_app.command("list")
def list_operations(  # noqa: PLR0913 - each is an option of the command
    text: Annotated[
        str, typer.Argument(help="Part of a name, path or parameter; default: all.")
    ] = "",
    *,
    tag: Annotated[str, typer.Option(help="Group of operations, by Zoom's name or ours.")] = "",
    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None,
        typer.Option(case_sensitive=False, help="HTTP method."),
    ] = None,
    label: Annotated[
        Literal["LIGHT", "MEDIUM", "HEAVY"] | None,
        typer.Option(case_sensitive=False, help="Class of rate limits."),
    ] = None,
    scope: Annotated[str, typer.Option(help="Part of a scope.")] = "",
    deprecated: Annotated[
        bool, typer.Option("--deprecated", help="Only operations with something deprecated.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Print the operations, one a line; exit 1 if none is as wanted."""
    wanted = Wanted(
        text=text, tag=tag, method=method, label=label, scope=scope, deprecated=deprecated
    )
    admitted = [each for each in operations().values() if wanted.admits(each)]
    if as_json:
        typer.echo(json.dumps([operation_object(each) for each in admitted]))
    else:
        _print(iter((operations_table(admitted),)))
        typer.echo(f"{len(admitted)} of {len(operations())} operations", err=True)
    raise typer.Exit(0 if admitted else 1)


@api_app.command("describe")
def describe(
    operation: Annotated[str, typer.Argument(help="Name of the operation, from `zcc api list`.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print all that is known of an operation: parameters, body, reply, pages, windows, errors."""
    target = find_operation(operation)
    if as_json:
        typer.echo(json.dumps(described_object(target)))
    else:
        _print(described(target))


@api_app.command("generate")
def generate_catalogue(
    *,
    rest: Annotated[Path, typer.Option(help="Zoom's OpenAPI document of the account's API.")],
    master: Annotated[
        Path, typer.Option(help="Zoom's OpenAPI document of the master account's API.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("zoom"),
) -> None:
    """Write the catalogue of operations, schemas, typed resources; print what has changed."""
    for path in generate(rest, master, out):
        typer.echo(path)


def generate(rest: Path, master: Path, out: Path) -> list[Path]:
    """Write ``operations.json``, ``schemas/`` and ``resources/`` below ``out``.

    Nothing is written before all of it is known.

    Returns:
        The files that are new or changed.

    Raises:
        ConfigurationError: a document cannot be used, or ``out`` cannot be written; one line.
    """
    documents = [_document(path) for path in (rest, master)]
    try:
        files = dict(artefacts(*documents))
    except SchemaSourceError as error:
        raise ConfigurationError(f"{rest}, {master}{error}") from None
    return write_changed(files, out)


def _document(path: Path) -> dict[str, object]:
    try:
        return read_document(read_source(path))
    except SchemaSourceError as error:
        raise ConfigurationError(f"{path}{error}") from None


def _print(parts: Iterator[RenderableType]) -> None:
    printed = console()
    for index, part in enumerate(parts):
        printed.print(*([""] if index else []), part, sep="\n")
