"""The connection to one account: sends the calls of all clients of the account.

The phases of a call:

1. Its breaker lets it pass. A call with an open breaker fails at once.
2. A token with its scope is available.
3. The scheduler grants it a time. A call without a grant in time fails at once.
4. It is sent. After a refused token it is sent once more.
5. Its answer is classified and read.

A request is repeated only after a refused token, which Zoom refuses before it does anything. So a
change is carried out at most once; after an `UnavailableError` nobody knows whether it was.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from runtime.clock import Clock
from zoom.catalogue import Operation
from zoom.errors import ZoomError, ZoomFault, error_of
from zoom.http.oauth import Token, TokenSource
from zoom.http.response_errors import document_in, error_in, missing_scope, token_is_refused
from zoom.limits import Priority
from zoom.messages import ApiResponse, Request, Transport
from zoom.metrics import metrics
from zoom.rate_limits.circuit_breaker import Breakers
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.requests.bodies import RequestContent
from zoom.settings import ZoomSettings

_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A checked call, ready to be sent with any token."""

    operation: Operation
    address: str
    content: RequestContent
    priority: Priority
    expected_since: datetime | None

    def request(self, token: Token) -> Request:
        """Return its request with this token."""
        return Request(
            self.operation.method,
            f"{token.api_url}{self.address}",
            {"Authorization": f"Bearer {token.value}"},
            json=self.content.json,
            parts=self.content.parts,
        )


_success: Final = "found"


class AccountConnection:
    """The app's tokens, the account's scheduler, and the breakers of its operations.

    ``tokens`` and ``scheduler`` are the present ones: either may be replaced.
    """

    def __init__(
        self,
        settings: ZoomSettings,
        *,
        transport: Transport,
        clock: Clock,
        scheduler: RateLimitScheduler,
    ) -> None:
        """Take the credentials of the settings.

        Raises:
            ConfigurationError: they have none.
        """
        self._log = _log.bind(account=settings.account_id)
        self._limit_s = settings.call_timeout_s
        self._transport = transport
        self._clock = clock
        self._breakers = Breakers()
        self._shown: set[str] = set()
        self._calls_in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closed = False
        self.tokens = TokenSource(settings, transport=transport, clock=clock)
        self.scheduler = scheduler

    def replace_credentials(self, settings: ZoomSettings) -> None:
        """Take other credentials of the same account; the next call gets a token with them.

        Calls in flight end with the token that they have. What the old credentials failed at is
        tried again at once.
        """
        self.tokens = TokenSource(settings, transport=self._transport, clock=self._clock)
        self._breakers = Breakers()

    async def close(self) -> None:
        """Refuse further calls, and return once those in flight have ended.

        A call that waits for the budget counts as in flight, and is refused when its wait is over.
        """
        self._is_closed = True
        self.scheduler.close()
        await self._idle.wait()

    async def answer(self, call: Call) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
        """Return the document that answers a call, None where the answer has none.

        Raises:
            ZoomError: as the class of the error says.
        """
        if self._is_closed:
            detail = f"{call.operation.name}: the account has no credentials any more"
            raise error_of(ZoomFault.CREDENTIALS, detail)
        self._calls_in_flight += 1
        self._idle.clear()
        try:
            return await self._answer(call)
        finally:
            self._calls_in_flight -= 1
            if not self._calls_in_flight:
                self._idle.set()

    async def _answer(self, call: Call) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
        operation = call.operation
        self._create_counters(operation.name)
        fault = self._breakers.stops(operation.name, self._clock.monotonic_s())
        if fault is not None:
            raise _suspended(operation, fault)
        try:
            document = await self._attempt(call)
        except ZoomError as error:
            self._note_failure(operation.name, error)
            raise
        self._note_success(operation.name)
        return document

    async def _attempt(self, call: Call) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
        response = await self._exchange(call)
        error = error_in(
            call.operation, response, now=self._clock.now(), expected_since=call.expected_since
        )
        if error is not None:
            raise error
        return document_in(call.operation, response)

    async def _exchange(self, call: Call) -> ApiResponse:
        """Send within the time limit of a call, which excludes the wait for the scheduler."""
        token, spent_s = await self._token(call)
        await self._take_turn(call)
        started_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._limit_s - spent_s):
                response = await self._send(call, token)
                if token_is_refused(response):
                    token = await self.tokens.renew(token)
                    await self._take_turn(call)
                    response = await self._send(call, token)
                return response
        except TimeoutError:
            raise self._too_late(call) from None
        finally:
            elapsed_s = self._clock.monotonic_s() - started_s
            metrics.latency.labels(call.operation.name).observe(elapsed_s)

    async def _token(self, call: Call) -> tuple[Token, float]:
        """Return a token, and the seconds spent on it."""
        started_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self._limit_s):
                token = await self.tokens.token_for(call.operation)
        except TimeoutError:
            raise self._too_late(call) from None
        return token, self._clock.monotonic_s() - started_s

    async def _take_turn(self, call: Call) -> None:
        operation = call.operation
        await self.scheduler.take(operation.label, call.priority, operation=operation.name)

    async def _send(self, call: Call, token: Token) -> ApiResponse:
        response = await self._transport.send(call.request(token))
        self.scheduler.observe_response(call.operation.label, response)
        return response

    def _too_late(self, call: Call) -> ZoomError:
        detail = f"{call.operation.name}: no answer in {self._limit_s:g} s"
        return error_of(ZoomFault.TIMEOUT, detail)

    def _create_counters(self, name: str) -> None:
        """Create each series of an operation at 0, before its first call.

        Prometheus sees no increase in a series that starts at 1. There are too many operations for
        all.
        """
        if name not in self._shown:
            self._shown.add(name)
            for outcome in (_success, *(fault.value for fault in ZoomFault)):
                metrics.requests.labels(name, outcome)

    def _note_success(self, name: str) -> None:
        metrics.requests.labels(name, _success).inc()
        if self._breakers.opened_by(name) is not None:
            self._log.info("zoom_operation_works_again", operation=name)
        self._breakers.succeeded(name)

    def _note_failure(self, name: str, error: ZoomError) -> None:
        metrics.requests.labels(name, error.fault.value).inc()
        before = self._breakers.opened_by(name)
        self._breakers.failed(name, error.fault, self._clock.monotonic_s())
        if before is None and self._breakers.opened_by(name) is not None:
            self._log.warning("zoom_operation_rests", operation=name, error=str(error))


def _suspended(operation: Operation, fault: ZoomFault) -> ZoomError:
    if fault is ZoomFault.MISSING_SCOPE:
        return missing_scope(operation, f"{operation.name}: a moment ago")
    return error_of(fault, f"{operation.name}: failed repeatedly, and is paused for some seconds")
