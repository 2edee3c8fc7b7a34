"""Opens a client of Zoom's REST API for one command, with interactive priority."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import typer

from operations.api.daily_counts import stored_counts
from operations.settings.loading import read_settings
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from zoom.accounts_file import read_accounts
from zoom.client import ZoomClient, connected
from zoom.errors import ArgumentError, ZoomError
from zoom.limits import Label, Priority
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings

AccountOption = Annotated[
    str, typer.Option("--account", help="Its id, where ZCC_ZOOM_ACCOUNTS_FILE has several.")
]
"""The account that a command calls."""


def zoom_settings() -> ZoomSettings:
    """Read the settings of the API, which may be without credentials or for several accounts.

    Raises:
        ConfigurationError: one line that names each variable at fault.
    """
    return read_settings(ZoomSettings)


def account_settings(account: str) -> ZoomSettings:
    """Read the settings of this account; "" stands for the only one.

    Raises:
        ConfigurationError: a variable or the file of accounts is wrong, there is no account, not
            this one, or several to choose from.
    """
    settings = zoom_settings()
    accounts = {each.account_id: each for each in read_accounts(settings)}
    if not accounts:
        raise ConfigurationError(
            "no credentials of Zoom's API: set ZCC_ZOOM_ACCOUNT_ID, ZCC_ZOOM_CLIENT_ID and "
            "ZCC_ZOOM_CLIENT_SECRET, or ZCC_ZOOM_ACCOUNTS_FILE"
        )
    if not account and len(accounts) == 1:
        return next(iter(accounts.values()))
    if account in accounts:
        return accounts[account]
    problem = "no credentials of this account" if account else "there are several accounts"
    raise ConfigurationError(f"--account: {problem}: expected one of {', '.join(accounts)}")


@asynccontextmanager
async def opened_client(
    settings: ZoomSettings, *, label: Label | None = None, allow_writes: bool = False
) -> AsyncIterator[ZoomClient]:
    """Open a client of one account, for a person who waits.

    Calls of ``label`` count against the limit per day.
    """
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
