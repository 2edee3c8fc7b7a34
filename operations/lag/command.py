"""`zcc lag` and `zcc monitor`: how far the groups are behind, for people and for Prometheus."""

import asyncio
from typing import Annotated

import typer

from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.clock import SystemClock
from runtime.settings import KafkaSettings


def lag(
    *,
    group: Annotated[
        list[str] | None, typer.Option(help="Group to show; all where none is named.")
    ] = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between the two looks.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print how far each group is behind; exit 1 if one is and has no member."""
    from operations.lag.group_lag import run

    kafka = read_settings(KafkaSettings)
    looked = run(
        kafka, groups=group or (), interval_s=interval, as_json=as_json, clock=SystemClock()
    )
    raise typer.Exit(asyncio.run(looked))


def monitor() -> None:
    """Measure lag and set-aside records at the brokers, for Prometheus."""
    from operations.lag.monitor import run
    from operations.settings.monitor import MonitorSettings

    warn_of_unknown_settings()
    settings, kafka = read_settings(MonitorSettings), read_settings(KafkaSettings)
    asyncio.run(run(settings, kafka, clock=SystemClock()))
