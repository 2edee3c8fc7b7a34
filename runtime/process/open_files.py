"""The limit of open files, and so of connections, of a process."""

import resource
import sys

import structlog

log = structlog.get_logger()


def raise_open_files_limit() -> None:
    """Raise the soft limit of open files, often 1,024, to the hard one, and log it."""
    before, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    except (OSError, ValueError):  # pragma: no cover - macOS has bounds below an unlimited hard one
        log.warning("limit of open files kept", open_files=before)
    else:
        log.info("limit of open files", open_files=hard_limit, before=before)


def open_files_limit() -> int:
    """Return how many files this process may have open; a very large number where unlimited."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
