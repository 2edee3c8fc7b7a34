"""Calls the operations of the REST API by name, or by the methods of `zoom.resources`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from runtime.clock import Clock
from zoom.catalogue import Operation, find
from zoom.errors import WritesNotAllowedError, ZoomFault
from zoom.http.connection import AccountConnection, Call
from zoom.http.oauth import TokenSource
from zoom.http.transport import opened
from zoom.limits import Priority
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.requests.arguments import address
from zoom.requests.bodies import content
from zoom.resources import Resources
from zoom.settings import ZoomSettings


class ZoomClient(Resources):
    """The REST API of one account: a `zoom.messages.Caller`. Open it with `connected`.

    `at` and `expecting` return further clients of the same account with other options. Calls that
    change something are refused unless ``allow_writes``.
    """

    def __init__(
        self,
        connection: AccountConnection,
        *,
        allow_writes: bool = False,
        priority: Priority = Priority.ENRICHMENT,
        expected_since: datetime | None = None,
    ) -> None:
        self._connection = connection
        self._allow_writes = allow_writes
        self._priority = priority
        self._expected_since = expected_since

    @property
    def tokens(self) -> TokenSource:
        """The app's tokens, for requests outside the operations: downloads."""
        return self._connection.tokens

    @property
    def scheduler(self) -> RateLimitScheduler:
        """The rate-limit scheduler, with the remaining budget."""
        return self._connection.scheduler

    def at(self, priority: Priority) -> "ZoomClient":
        """Return a client whose calls have this priority."""
        return ZoomClient(
            self._connection,
            allow_writes=self._allow_writes,
            priority=priority,
            expected_since=self._expected_since,
        )

    def expecting(self, since: datetime) -> "ZoomClient":
        """Return a client for entities that exist since this time, an aware datetime.

        For a minute from then on, a "not found" of Zoom is a `NotReadyError`.
        """
        return ZoomClient(
            self._connection,
            allow_writes=self._allow_writes,
            priority=self._priority,
            expected_since=since,
        )

    async def call(
        self, operation: str | Operation, /, *, body: object = None, **arguments: object
    ) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
        """Return the document that the operation answers with, None where it answers with none.

        ``arguments`` go by `Parameter.argument`, None leaves one out: see
        `zoom.requests.arguments.address`; for the body see `zoom.requests.bodies.content`. The
        document is unchanged, unknown members included.

        Raises:
            UnknownOperationError: there is no operation of this name.
            ArgumentError: an argument or the body is wrong; nothing was sent.
            WritesNotAllowedError: the operation changes something, and this client may not.
            AbsentError: Zoom says that the entity does not exist.
            UnavailableError: the result is unknown, or the budget or a breaker stopped the call.
            ForbiddenError: the app may not call it.
            RefusedError: Zoom does not accept the arguments.
            ConflictError: the state of the entity does not allow it.
        """
        if isinstance(operation, str):
            operation = find(operation)
        if operation.writes and not self._allow_writes:
            detail = f"{operation.name}: this client only reads; open it with allow_writes=True"
            raise WritesNotAllowedError(ZoomFault.FORBIDDEN, detail)
        call = Call(
            operation=operation,
            address=address(operation, arguments),
            content=content(operation, body),
            priority=self._priority,
            expected_since=self._expected_since,
        )
        return await self._connection.answer(call)


@asynccontextmanager
async def connected(
    settings: ZoomSettings,
    *,
    clock: Clock,
    scheduler: RateLimitScheduler | None = None,
    allow_writes: bool = False,
) -> AsyncIterator[ZoomClient]:
    """Open a client; nothing is sent before the first call.

    ``scheduler`` None takes the whole share of the budget, as a process without a group does. Calls
    that change something are refused unless ``allow_writes``.
    """
    scheduler = RateLimitScheduler(settings, clock=clock) if scheduler is None else scheduler
    async with opened(settings) as transport:
        connection = AccountConnection(
            settings, transport=transport, clock=clock, scheduler=scheduler
        )
        yield ZoomClient(connection, allow_writes=allow_writes)
