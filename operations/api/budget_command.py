"""`zcc api budget`: the account's rate limits, our share of them, and its use today."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.table import Table

from operations.api.access import AccountOption, account_settings, cli_errors
from operations.api.daily_counts import kafka_settings, used_today
from operations.api.output import console, print_json
from runtime.clock import Clock, SystemClock
from runtime.errors import ConfigurationError
from zoom.catalogue import Operation, operations
from zoom.client import connected
from zoom.errors import RateLimitedError
from zoom.http.oauth import Token
from zoom.limits import Label
from zoom.rate_limits.scheduler import LimitStatus, RateLimitScheduler
from zoom.settings import ZoomSettings

_labels: Final = tuple(Label)
"""The lightest first."""


def budget(
    *,
    probe: Annotated[
        bool, typer.Option("--probe", help="Request one list, to read the limits from its headers.")
    ] = False,
    account: AccountOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print rate limits, the share of one worker, and how much of it is used today."""
    settings = account_settings(account)
    kafka = kafka_settings()
    clock = SystemClock()
    scheduler = RateLimitScheduler(settings, clock=clock)
    with cli_errors():
        if probe:
            asyncio.run(_probe(settings, scheduler, clock))
        used = asyncio.run(used_today(settings, kafka, clock)) if kafka else None
    rows = [_row(each, settings, used) for each in scheduler.snapshot()]
    if as_json:
        print_json({"plan": settings.plan, "share": settings.share, "labels": rows})
    else:
        console().print(_table(rows))
        if used is None:
            typer.echo(
                "the usage of today is in Kafka, but no ZCC_KAFKA_ variable is set", err=True
            )


async def _probe(settings: ZoomSettings, scheduler: RateLimitScheduler, clock: Clock) -> None:
    """Let ``scheduler`` observe the response to one call, even if that is a refusal."""
    async with connected(settings, clock=clock, scheduler=scheduler) as client:
        operation = lightest_list(await client.tokens.token())
        try:
            await client.call(operation.name)
        except RateLimitedError as error:
            typer.echo(f"zcc: {error}", err=True)


def lightest_list(token: Token) -> Operation:
    """Return the list with the lightest label that a token may call.

    Raises:
        ConfigurationError: it may call none.
    """
    for label in _labels:
        for each in operations().values():
            free = not each.writes and not any(p.required for p in each.parameters)
            if each.label is label and free and token.allows(each):
                return each
    raise ConfigurationError("--probe: the token permits no list: see `zcc doctor`")


def _row(
    status: LimitStatus, settings: ZoomSettings, used: Mapping[Label, int] | None
) -> dict[str, object]:
    until = status.paused_until
    return {
        "label": status.label.value,
        "limit_per_second": status.limit_per_second,
        "share_per_second": round(status.share_per_second, 3),
        "limit_per_day": settings.limits[status.label].per_day,
        "share_per_day": status.share_per_day,
        "used_today": None if used is None else used.get(status.label),
        "paused_until": None if until is None else _written(until),
    }


def _table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "label" else "right")
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    return table


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
