"""Signals as events: SIGINT and SIGTERM request a clean end, SIGHUP a reload."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def stop_event() -> AbstractContextManager[asyncio.Event]:
    """Set the event on SIGINT or SIGTERM while the block runs on the running loop."""
    return _set_by(signal.SIGINT, signal.SIGTERM)


def hangup_event() -> AbstractContextManager[asyncio.Event]:
    """Set the event on SIGHUP, which would otherwise end the process, while the block runs."""
    return _set_by(signal.SIGHUP)


@contextmanager
def _set_by(*numbers: signal.Signals) -> Iterator[asyncio.Event]:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, event.set)
    try:
        yield event
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
