"""Workers take the handlers of signals for themselves; this puts them back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def restored_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
