"""Opens Zoom's REST API for one command: with a person's priority, and errors by whose they are."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import typer

from operations.api.daily_counts import kept_counts
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
    """Open a client for a person who waits; of calls of ``label`` the day's count is kept."""
    clock = SystemClock()
    async with kept_counts(settings, label, clock) as counts:
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
    """Turn errors of the API into one line and an exit code: 2 the command's fault, else 1.

    Raises:
        ConfigurationError: an argument is wrong, or the app may not ask this.
        TransientError: Zoom does not answer as it should.
        typer.Exit: Zoom says no; told.
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
