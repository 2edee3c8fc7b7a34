"""Opens a client of Zoom's REST API for one command, with interactive priority."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import typer

from operations.api.daily_counts import stored_counts
from operations.settings.loading import read_settings
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from zoom.client import ZoomClient, connected
from zoom.errors import ArgumentError, ZoomError
from zoom.limits import Label, Priority
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings


def zoom_settings() -> ZoomSettings:
    """Read the settings of the API.

    Raises:
        ConfigurationError: one line that names each variable at fault.
    """
    return read_settings(ZoomSettings)


@asynccontextmanager
async def opened_client(
    settings: ZoomSettings, *, label: Label | None = None, allow_writes: bool = False
) -> AsyncIterator[ZoomClient]:
    """Open a client for a person who waits; calls of ``label`` count against the limit per day."""
    clock = SystemClock()
    async with stored_counts(settings, label, clock) as counts:
        scheduler = RateLimitScheduler(settings, clock=clock, counts=counts)
        async with connected(
            settings, clock=clock, scheduler=scheduler, allow_writes=allow_writes
        ) as client:
            try:
                yield client.at(Priority.INTERACTIVE)
            finally:
                await scheduler.finish()


@contextmanager
def cli_errors() -> Iterator[None]:
    """Turn errors of the API into one line and an exit code: 2 for wrong usage, else 1.

    Raises:
        ConfigurationError: an argument is wrong, or the app lacks a scope.
        TransientError: Zoom does not answer, or not as expected.
        typer.Exit: Zoom refuses; the reason is printed.
    """
    try:
        yield
    except ArgumentError as error:
        raise ConfigurationError(str(error)) from None
    except (ConfigurationError, TransientError):
        raise
    except ZoomError as error:
        typer.echo(f"zcc: {error}", err=True)
        raise typer.Exit(1) from None
