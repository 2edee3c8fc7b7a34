"""`zcc api call` and `zcc api download`: calls of Zoom's REST API from the command line.

Exit codes: 0 done, 1 Zoom says no or does not answer, 2 wrong usage or settings.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from operations.api.access import (
    AccountOption,
    account_settings,
    cli_errors,
    opened_client,
    zoom_settings,
)
from operations.api.dry_run import DryRun, request_object, request_text
from operations.api.lookup import find_operation
from operations.api.options import arguments, body_of, with_files
from operations.api.output import (
    Pages,
    Show,
    console,
    print_json,
    show_document,
    show_items_as_json,
)
from operations.api.views import options_of
from operations.generated_files import read_source
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from zoom.catalogue import Operation, body_schema
from zoom.downloads.fetching import opened_downloads
from zoom.http.oauth import global_api_url
from zoom.messages import Caller
from zoom.requests.arguments import address
from zoom.requests.bodies import File, content
from zoom.requests.paging import pages
from zoom.settings import ZoomSettings


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call: an operation with its arguments and its body, or all pages of a list."""

    operation: Operation
    arguments: dict[str, object]
    body: object
    all_pages: bool
    account: str = ""


def call(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    operation: Annotated[
        str, typer.Argument(help="Name of the operation, from `zcc api list`.", show_default=False)
    ] = "",
    *,
    body: Annotated[
        str, typer.Option(metavar="JSON|@FILE|-", help="For a file, give its path.")
    ] = "",
    page_all: Annotated[
        bool, typer.Option("--page-all", help="Print all pages of a list.")
    ] = False,
    account: AccountOption = "",
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the reply on one line; with --page-all, one line per item."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the request, send nothing.")
    ] = False,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Allow operations that change the account.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    help_: Annotated[
        bool, typer.Option("--help", help="Print this help and the options of OPERATION.")
    ] = False,
) -> None:
    """Ask an operation, its parameters as options: --user-id ID, --channels chat,sms."""
    if help_:
        _print_help(context, operation)
        return
    if not operation:
        raise ConfigurationError("expected an operation: zcc api list shows all of them")
    target = find_operation(operation)
    with cli_errors():
        given = _body(target, body) if body else None
        call_ = ApiCall(target, arguments(target, context.args), given, page_all, account)
        _check(call_)
        if dry_run:
            asyncio.run(_show_requests(call_, as_json=as_json))
            return
        if target.writes:
            _confirm(call_, allowed=allow_writes, yes=yes, body_is_stdin=body == "-")
        asyncio.run(_call(call_, as_json=as_json))


def download(
    url: Annotated[str, typer.Argument(help="URL from an event or a reply.")],
    *,
    to: Annotated[Path, typer.Option(help="File to write; it appears when it is complete.")],
    account: AccountOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fetch a recording, a transcript or an attachment."""
    try:
        with cli_errors():
            asyncio.run(_download(url, to, account_settings(account), as_json=as_json))
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot write it: {error.strerror}") from None


def _print_help(context: typer.Context, operation: str) -> None:
    typer.echo(context.get_help())
    if operation:
        for part in options_of(find_operation(operation)):
            console().print(part)


def _check(call_: ApiCall) -> None:
    """Raise for wrong arguments before a request is sent or confirmed."""
    operation = call_.operation
    if not call_.all_pages:
        address(operation, call_.arguments)
        content(operation, call_.body)
    elif operation.reply.items is None:
        raise ConfigurationError(f"--page-all: {operation.name} returns no list")
    elif call_.body is not None:
        raise ConfigurationError(f"--body: {operation.name} takes none")


def _body(operation: Operation, text: str) -> object:
    given = text.encode(errors="surrogateescape")
    if text == "-":
        given = sys.stdin.buffer.read()
    elif text.startswith("@"):
        given = read_source(Path(text[1:]))
    return with_files(body_of(operation, given), body_schema(operation) or {}, _file)


def _file(path: str) -> File:
    return File(Path(path).name, read_source(Path(path)))


def _confirm(call_: ApiCall, *, allowed: bool, yes: bool, body_is_stdin: bool) -> None:
    operation = call_.operation
    request = f"{operation.method} {address(operation, call_.arguments)}"
    if not allowed:
        raise ConfigurationError(f"{request} changes the account: allow it with --allow-writes")
    if yes:
        return
    if body_is_stdin:
        raise ConfigurationError("--body -: standard input is the body: confirm with --yes")
    typer.confirm(f"{request}?", abort=True, err=True)


async def _show_requests(call_: ApiCall, *, as_json: bool) -> None:
    settings = account_settings(call_.account) if call_.account else zoom_settings()
    caller = DryRun(
        settings.api_url or global_api_url,
        lambda operation, request: (
            print_json(request_object(operation, request))
            if as_json
            else typer.echo(request_text(operation, request))
        ),
    )
    async with aclosing(_replies(caller, call_)) as replies:
        async for _ in replies:
            pass


async def _call(call_: ApiCall, *, as_json: bool) -> None:
    operation = call_.operation
    table = Pages(operation.reply.items or "") if call_.all_pages and not as_json else None
    show: Show = partial(show_document, operation)
    if table is not None:
        show = table.show
    elif as_json:
        show = show_items_as_json(operation.reply.items or "") if call_.all_pages else print_json
    async with (
        opened_client(
            account_settings(call_.account),
            label=operation.label,
            allow_writes=operation.writes,
        ) as client,
        aclosing(_replies(client, call_)) as replies,
    ):
        async for reply in replies:
            show(reply)
    if table is not None:
        table.print_total()


async def _replies(caller: Caller, call_: ApiCall) -> AsyncGenerator[Any, None]:
    operation = call_.operation
    if not call_.all_pages:
        yield await caller.call(operation.name, body=call_.body, **call_.arguments)
        return
    async with aclosing(pages(caller, operation, call_.arguments)) as walk:
        async for page in walk:
            yield page


async def _download(url: str, to: Path, settings: ZoomSettings, *, as_json: bool) -> None:
    async with (
        opened_client(settings) as client,
        opened_downloads(settings, tokens=client.tokens, clock=SystemClock()) as downloads,
    ):
        done = await downloads.fetch(url, to)
    result = {
        "file": str(to),
        "size_bytes": done.size_bytes,
        "sha256": done.sha256,
        "content_type": done.content_type,
    }
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{to}: {done.size_bytes} bytes, {done.content_type}, sha256 {done.sha256}")


call_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
call_app.command(
    "call",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,  # it has one of its own, which knows the operation
)(call)
