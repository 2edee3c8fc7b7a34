"""The accounts whose API this process may call, each with credentials and a budget of its own.

One account is set by variables, several are in a file, none is possible too: see
`zoom.accounts_file`. The file is read again every few seconds, together with the files of secrets
that it names, and compared by content, because Kubernetes swaps a symbolic link above a mounted
secret. A file that is unreadable or wrong changes nothing: the present accounts stay; each reading
is counted, and each content logged once.

Accounts share nothing: connections, tokens, breakers and budget are of one account, so that an
account that fails or has spent its budget takes nothing from the others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

import structlog

from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.member_share import MemberShare, sole_member
from zoom.accounts_file import AccountsFileError, read_accounts
from zoom.client import ZoomClient
from zoom.http.connection import AccountConnection
from zoom.http.transport import opened
from zoom.limits import Label, Limit
from zoom.messages import Transport
from zoom.metrics import metrics, remove_account_series
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import AppCredentials, ZoomSettings

poll_interval_s: Final = 5.0

max_remembered: Final = 1000
"""Accounts without credentials that are remembered as logged; further ones are only counted."""

_logged_characters: Final = 64
"""Of an id, which an event may have chosen; Zoom's have 22."""

_log: Final = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _OpenAccount:
    settings: ZoomSettings
    connection: AccountConnection
    client: ZoomClient
    transport: AsyncExitStack


class Accounts:
    """The REST API of each account that has credentials. An async context manager.

    Leaving it ends the connections of all accounts; the callers have to end before.
    """

    def __init__(
        self,
        settings: ZoomSettings,
        *,
        clock: Clock,
        member_share: MemberShare | None = sole_member,
        budget_part: float = 1.0,
        open_transport: Callable[[ZoomSettings], AbstractAsyncContextManager[Transport]] = opened,
    ) -> None:
        """Begin with this share of every budget.

        A member of a group begins with None; see `on_share_changed`. ``budget_part``, above 0 and
        at most 1, is the part of each account's own ``share`` that these callers may use: others
        of the same deployment use the rest.
        """
        self._settings = settings
        self._clock = clock
        self._member_share = member_share
        self._budget_part = budget_part
        self._open_transport = open_transport
        self._open: dict[str, _OpenAccount] = {}
        self._closing: set[_OpenAccount] = set()
        self._logged_unknown: set[str] = set()
        self._fault: tuple[bytes, str] | None = None
        self._background = BackgroundTasks()

    async def __aenter__(self) -> Self:
        """Open the accounts; nothing is sent before the first call.

        Raises:
            ConfigurationError: the file of accounts cannot be used.
        """
        for outcome in ("taken", "unreadable", "wrong"):
            metrics.account_reloads.labels(outcome)
        accounts = await asyncio.to_thread(read_accounts, self._settings)
        await self._background.__aenter__()
        await self._adopt(accounts)
        if self._settings.accounts_file is not None:
            self._background.start(self._keep_reading())
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close all connections."""
        try:
            await self._background.__aexit__(*error)
        finally:
            for account in (*self._open.values(), *self._closing):
                await account.transport.aclose()

    @property
    def account_ids(self) -> tuple[str, ...]:
        """The accounts with credentials now, in the order in which they came."""
        return tuple(self._open)

    def client(self, account_id: str) -> ZoomClient | None:
        """Return the client of an account, None where it has no credentials.

        The client reads only, with the priority of enrichment. It stays valid: it takes changed
        credentials and limits by itself. Once its account has lost the credentials, its calls raise
        `ForbiddenError`. ``account_id`` may be any text; the first None for it is logged.
        """
        account = self._open.get(account_id)
        if account is None:
            self._on_unknown(account_id)
            return None
        return account.client

    def on_share_changed(self, member_share: MemberShare | None) -> None:
        """Take the share that the group has assigned, or give it up before a rebalance.

        It is that of every account's budget, also of accounts that come later.
        """
        self._member_share = member_share
        for account in self._open.values():
            account.connection.scheduler.on_share_changed(member_share)

    def _on_unknown(self, account_id: str) -> None:
        metrics.unknown_accounts.inc()
        if account_id in self._logged_unknown or len(self._logged_unknown) >= max_remembered:
            return
        self._logged_unknown.add(account_id)
        _log.warning("zoom account has no credentials", account=account_id[:_logged_characters])

    async def _keep_reading(self) -> None:
        while True:
            await self._clock.sleep(poll_interval_s)
            try:
                accounts = await asyncio.to_thread(read_accounts, self._settings)
            except AccountsFileError as error:
                self._on_fault(error)
            else:
                await self._on_read(accounts)

    def _on_fault(self, error: AccountsFileError) -> None:
        metrics.account_reloads.labels(error.outcome).inc()
        fault = (error.digest, str(error))
        if fault != self._fault:
            _log.error("zoom accounts kept as they were", reason=str(error))
        self._fault = fault

    async def _on_read(self, accounts: Sequence[ZoomSettings]) -> None:
        before = {name: account.settings for name, account in self._open.items()}
        after = {each.account_id: each for each in accounts}
        if self._fault is None and before == after:
            return
        self._fault = None
        await self._adopt(accounts)
        metrics.account_reloads.labels("taken").inc()
        _log.info(
            "zoom accounts read",
            accounts=len(after),
            added=sorted(after.keys() - before.keys()),
            removed=sorted(before.keys() - after.keys()),
            changed=sorted(n for n in before.keys() & after.keys() if before[n] != after[n]),
        )

    async def _adopt(self, accounts: Sequence[ZoomSettings]) -> None:
        wanted = {each.account_id for each in accounts}
        for gone in [name for name in self._open if name not in wanted]:
            account = self._open.pop(gone)
            self._closing.add(account)
            self._background.start(self._close(account))
        for settings in accounts:
            present = self._open.get(settings.account_id)
            if present is None:
                self._open[settings.account_id] = await self._opened(settings)
            else:
                self._change(present, settings)
        self._logged_unknown -= wanted
        metrics.accounts.set(len(self._open))

    async def _opened(self, settings: ZoomSettings) -> _OpenAccount:
        stack = AsyncExitStack()
        transport = await stack.enter_async_context(self._open_transport(settings))
        connection = AccountConnection(
            settings, transport=transport, clock=self._clock, scheduler=self._scheduler(settings)
        )
        return _OpenAccount(settings, connection, ZoomClient(connection), stack)

    def _change(self, account: _OpenAccount, settings: ZoomSettings) -> None:
        before, account.settings = account.settings, settings
        if _budget(settings) != _budget(before):
            # Closed first: both show their limits in the same series.
            account.connection.scheduler.close()
            account.connection.scheduler = self._scheduler(settings)
        if _access(settings) != _access(before):
            account.connection.replace_credentials(settings)

    def _scheduler(self, settings: ZoomSettings) -> RateLimitScheduler:
        return RateLimitScheduler(
            settings.model_copy(update={"share": settings.share * self._budget_part}),
            clock=self._clock,
            member_share=self._member_share,
            account=_label(settings),
        )

    async def _close(self, account: _OpenAccount) -> None:
        """Close an account without credentials when its calls in flight have ended."""
        await account.connection.close()
        await account.transport.aclose()
        self._closing.discard(account)
        if account.settings.account_id not in self._open:  # else it is back, and its series go on
            remove_account_series(_label(account.settings))


def _label(settings: ZoomSettings) -> str:
    """Return the account for metrics: an account that is set by variables is the only one."""
    return "" if settings.accounts_file is None else settings.account_id


def _budget(settings: ZoomSettings) -> tuple[Mapping[Label, Limit], float]:
    return settings.limits, settings.share


def _access(settings: ZoomSettings) -> tuple[AppCredentials, str, str]:
    return settings.credentials, settings.oauth_url, settings.api_url
