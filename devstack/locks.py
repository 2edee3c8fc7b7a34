"""Lock files that show who uses something; the kernel frees a lock when its last holder dies.

A program that inherits the open file holds the lock as long as it or a child of its lives, so a
held lock says for sure that something still runs, and waiting for it is waiting for all of it.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.02


def try_lock(path: Path) -> int | None:
    """Open and lock the file; the descriptor, or None where somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_free(path: Path) -> bool:
    """Whether nobody holds the file's lock."""
    descriptor = try_lock(path)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def holder(path: Path) -> int | None:
    """The pid that the file's holder wrote into it; None where it has not yet."""
    text = path.read_text()
    return int(text) if text.isdecimal() else None


async def lock_within(path: Path, timeout_s: float) -> int | None:
    """As try_lock, but wait for the holder to let go, up to a time limit."""
    deadline = time.monotonic() + timeout_s
    while True:
        descriptor = try_lock(path)
        if descriptor is not None or time.monotonic() > deadline:
            return descriptor
        await asyncio.sleep(POLL_S)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's lock; blocks the thread until it is free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
