"""How many connections a process may hold, as far as the system lets it choose."""

import resource
import sys

import structlog

log = structlog.get_logger()


def raise_open_files_limit() -> None:
    """Raise the soft limit of open files, often 1,024, to the hard one; tell what it is now."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):  # pragma: no cover - macOS has bounds below an unlimited hard one
        log.warning("limit of open files kept", open_files=before)
    else:
        log.info("limit of open files", open_files=most, before=before)


def open_files_limit() -> int:
    """Return how many files this process may have open; a very large number where any."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
