"""Asks the REST API: within the budget, with a valid token, and not while it is known to fail.

One call: the breaker of its operation lets it pass, the budget grants it a moment, a token is at
hand; then it is sent, once more if the token was refused, and its answer is judged and parsed.
A wait for the budget that is longer than `ZoomSettings.budget_wait_s` fails at once, without
taking a place in the queue; so does a call whose breaker is open.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, Generic, Protocol, TypeVar

import structlog

from runtime import telemetry
from runtime.clock import Clock
from zoom import operations
from zoom.breaker import Breaker
from zoom.budget import Budget, Label
from zoom.entities import Queue, User
from zoom.errors import (
    Fault,
    ForbiddenError,
    RefusedError,
    UnavailableError,
    ZoomError,
    error_in,
    error_of,
    token_is_refused,
)
from zoom.exchange import Request, Response, Transport
from zoom.oauth import Token, TokenSource
from zoom.operations import Operation, is_id, largest_page
from zoom.settings import ZoomSettings
from zoom.transport import opened

Reply = TypeVar("Reply")
Entity = TypeVar("Entity")
Entity_co = TypeVar("Entity_co", covariant=True)

_log: Final = structlog.get_logger()

_rate_limit_pause_s: Final = 1.0
"""After a 429 that does not say how long: its limit is per second."""


class Page(Protocol[Entity_co]):
    """Some entities, and the token for more."""

    @property
    def items(self) -> tuple[Entity_co, ...]:
        """In the order of the API."""
        ...

    @property
    def next_page_token(self) -> str:
        """Empty at the end."""
        ...


class Resource(Generic[Entity]):
    """One kind of entity of the account; a `runtime.contracts.Lookup` by id."""

    def __init__(
        self, client: "ZoomClient", one: Operation[Entity], several: Operation[Page[Entity]]
    ) -> None:
        self._client = client
        self._one = one
        self._several = several

    async def get(self, key: str) -> Entity | None:
        """Return the entity with this id, or None where there is none.

        Raises:
            UnavailableError: nobody knows.
            ForbiddenError: the app may not know.
        """
        if not is_id(key):
            return None
        try:
            return await self._client.call(self._one, entity_id=key)
        except RefusedError:  # an id was all that it carried
            return None

    async def all(self) -> AsyncGenerator[Entity, None]:
        """Yield all entities of the account, page by page.

        Raises:
            UnavailableError: the list breaks off, or a page comes twice.
            ForbiddenError: the app may not list them.
            RefusedError: the API has changed its parameters.
        """
        seen: set[str] = set()
        token = ""
        while True:
            query = {"page_size": largest_page} | ({"next_page_token": token} if token else {})
            page = await self._client.call(self._several, query=query)
            if page is None:
                raise error_of(Fault.UNEXPECTED, f"{self._several.name}: there is no such list")
            for entity in page.items:
                yield entity
            seen.add(token)
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise error_of(Fault.UNEXPECTED, f"{self._several.name}: a page comes twice")


class ZoomClient:
    """The REST API of one account. Open it with `connected`."""

    def __init__(self, settings: ZoomSettings, *, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._tokens = TokenSource(settings, transport=transport, clock=clock)
        self._budget = Budget(plan=settings.plan, share=settings.share)
        self._breakers: dict[str, Breaker] = {}
        self.users: Final = Resource[User](self, operations.get_user, operations.list_users)
        self.queues: Final = Resource[Queue](self, operations.get_queue, operations.list_queues)

    async def call(
        self,
        operation: Operation[Reply],
        *,
        entity_id: str = "",
        query: dict[str, str] | None = None,
    ) -> Reply | None:
        """Return the parsed reply, or None where the API says that there is no such thing.

        Raises:
            UnavailableError: nobody knows; also while the budget or the breaker holds it back.
            ForbiddenError: the app may not ask this.
            RefusedError: the API does not accept the parameters.
        """
        breaker = self._breakers.setdefault(operation.name, Breaker())
        if (fault := breaker.stops(self._clock.monotonic_s())) is not None:
            raise error_of(fault, f"{operation.name} has failed and rests for some seconds")
        address = operation.address(entity_id=entity_id, query=query or {})
        try:
            reply = await self._answer(operation, address)
        except (UnavailableError, ForbiddenError, RefusedError) as error:
            self._note_failure(operation, breaker, error)
            raise
        self._note_success(operation, breaker, "absent" if reply is None else "found")
        return reply

    async def _answer(self, operation: Operation[Reply], address: str) -> Reply | None:
        await self._take_turn(operation)
        started_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._settings.call_timeout_s):
                response = await self._exchange(operation, address)
        except TimeoutError:
            limit = f"{self._settings.call_timeout_s:g} s"
            raise error_of(Fault.TIMEOUT, f"{operation.name}: no answer in {limit}") from None
        finally:
            elapsed_s = self._clock.monotonic_s() - started_s
            telemetry.zoom.latency.labels(operation.name).observe(elapsed_s)
        if (error := error_in(response, now=self._clock.now())) is not None:
            self._heed(operation.label, error)
            raise error
        if response.status != HTTPStatus.OK:
            return None
        return operation.read(response.body)

    async def _exchange(self, operation: Operation[Reply], address: str) -> Response:
        token = await self._tokens.token()
        response = await self._send(address, token)
        if token_is_refused(response):
            token = await self._tokens.renew(token)
            await self._take_turn(operation)
            response = await self._send(address, token)
        return response

    async def _send(self, address: str, token: Token) -> Response:
        headers = {"Authorization": f"Bearer {token.value}"}
        return await self._transport.send(Request("GET", f"{token.api_url}{address}", headers))

    async def _take_turn(self, operation: Operation[Reply]) -> None:
        now_s, most_s = self._clock.monotonic_s(), self._settings.budget_wait_s
        wait_s = self._budget.wait_s(operation.label, now_s)
        if wait_s > most_s:
            detail = f"{operation.name}: the budget is spent for {wait_s:.1f} s"
            raise error_of(Fault.OVER_BUDGET, detail, retry_after_s=wait_s)
        self._budget.reserve(operation.label, now_s)
        if wait_s > 0:
            telemetry.zoom.budget_wait.labels(operation.label.value).inc(wait_s)
            await self._clock.sleep(wait_s)

    def _heed(self, label: Label, error: ZoomError) -> None:
        if isinstance(error, UnavailableError) and error.fault is Fault.RATE_LIMITED:
            wish_s = error.retry_after_s
            pause_s = _rate_limit_pause_s if wish_s is None else wish_s
            self._budget.pause(label, self._clock.monotonic_s() + pause_s)

    def _note_success(self, operation: Operation[Reply], breaker: Breaker, outcome: str) -> None:
        telemetry.zoom.requests.labels(operation.name, outcome).inc()
        if breaker.opened_by is not None:
            _log.info("zoom_operation_works_again", operation=operation.name)
        breaker.succeeded()

    def _note_failure(
        self, operation: Operation[Reply], breaker: Breaker, error: ZoomError
    ) -> None:
        telemetry.zoom.requests.labels(operation.name, error.fault.value).inc()
        was_open = breaker.opened_by is not None
        breaker.failed(error.fault, self._clock.monotonic_s())
        if breaker.opened_by is not None and not was_open:
            _log.warning("zoom_operation_rests", operation=operation.name, error=str(error))


@asynccontextmanager
async def connected(settings: ZoomSettings, *, clock: Clock) -> AsyncIterator[ZoomClient]:
    """Open a client; nothing is sent before the first call."""
    async with opened(settings) as transport:
        yield ZoomClient(settings, transport=transport, clock=clock)
