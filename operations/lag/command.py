"""`zcc lag`: how far the groups are behind, for people."""

import asyncio
from typing import Annotated

import typer

from operations.lag.group_lag import run
from operations.settings.loading import read_settings
from runtime.clock import SystemClock
from runtime.settings import KafkaSettings


def lag(
    *,
    group: Annotated[list[str] | None, typer.Option(help="Group to show; default: all.")] = None,
    interval: Annotated[
        float, typer.Option(min=0.1, help="Seconds between the two measurements.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the lag of each group; exit 1 if a group with lag has no member."""
    kafka = read_settings(KafkaSettings)
    measured = run(
        kafka, groups=group or (), interval_s=interval, as_json=as_json, clock=SystemClock()
    )
    raise typer.Exit(asyncio.run(measured))
