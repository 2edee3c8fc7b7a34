"""Retries a call of a handler or sink until it succeeds or `policy.decide` ends it.

docs/explanation/retries-and-dead-letters.md lists the loops that retry something else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtime.errors import ConfigurationError, FencedError
from runtime.retries.policy import (
    DeadLetter,
    FaultKind,
    RetryInPlace,
    RetryPolicy,
    decide,
    fault_of,
)

Result = TypeVar("Result")


class RetriesExhaustedError(Exception):
    """No further attempt will help. The cause is the last error; ``attempts`` counts all calls."""

    def __init__(self, verdict: DeadLetter, attempts: int) -> None:
        super().__init__(f"{verdict.reason.value} after {attempts} attempts: {verdict.detail}")
        self.verdict = verdict
        self.attempts = attempts


class PanicError(Exception):
    """A call raised something that is not an Exception; the message names its class."""


async def retry_until_final(
    call: Callable[[], Awaitable[Result]],
    *,
    policy: RetryPolicy,
    pause: Callable[[float], Awaitable[None]],
    failed: Callable[[FaultKind, Exception], None],
    first_error: Exception | None = None,
) -> Result:
    """Return the result of the first successful call.

    ``failed`` receives each failure. ``pause`` waits between calls, and may raise to end the
    retries. ``first_error`` is the failure of a call that was made elsewhere, as the first attempt.

    Raises:
        RetriesExhaustedError: `policy.decide` gave it up.
        ConfigurationError, FencedError: at once, unchanged.
    """
    attempts, error = 0, first_error
    failures: dict[FaultKind, int] = {}
    while True:
        attempts += 1
        if error is None:
            try:
                return await call()
            except BaseException as caught:  # noqa: BLE001 - any fault must be decided about, by class
                error = failure_of(caught)
        fault = fault_of(error)
        of_this_fault = failures[fault] = failures.get(fault, 0) + 1
        failed(fault, error)
        match decide(error, of_this_fault, policy):
            case RetryInPlace(delay_s):
                error = None
                await pause(delay_s)
            case DeadLetter() as verdict:
                raise RetriesExhaustedError(verdict, attempts) from error


async def attempt(call: Callable[[], Awaitable[Result]]) -> Result:
    """Return what one call returns; raise any failure as an Exception.

    A cancellation of this task goes before the failure of a call that swallowed it.
    """
    try:
        return await call()
    except BaseException as caught:  # noqa: BLE001 - as above
        raise failure_of(caught)  # noqa: B904 - it is the same error, or made from it


def failure_of(caught: BaseException) -> Exception:
    """Return what a call raised as the failure of that call; raise what is none.

    Raises:
        ConfigurationError, FencedError, SystemExit, KeyboardInterrupt: they end the work.
        CancelledError: this task was cancelled.
    """
    match caught:
        case ConfigurationError() | FencedError():
            raise caught
        case asyncio.CancelledError():
            return _from_within(caught)
        case Exception():
            return _unless_cancelled(caught)
        case SystemExit() | KeyboardInterrupt() | GeneratorExit():
            raise caught
        case _:  # the panic of an extension, say: a defect
            panic = PanicError(type(caught).__qualname__)
            return _unless_cancelled(panic.with_traceback(caught.__traceback__))


def _unless_cancelled(error: Exception) -> Exception:
    """Return the error, unless the call swallowed a cancellation of this task before it failed.

    Nobody waits for another attempt then: a transient failure would keep the task alive for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error
    return error


def _from_within(cancelled: asyncio.CancelledError) -> Exception:
    """Distinguish a cancellation of this task from one that leaked out of a task it awaited.

    A leaked one, taken for a real one, would end the task silently and leave its record unfinished
    for ever.
    """
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise cancelled
    error = RuntimeError("something that was waited for had been cancelled")
    return error.with_traceback(cancelled.__traceback__)
