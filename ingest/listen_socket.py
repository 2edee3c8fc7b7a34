"""Binds the address of webhooks, before anything else starts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ingest.settings import IngestSettings
from runtime.errors import ConfigurationError

backlog: Final = 2048
"""Connections that wait to be accepted; the kernel caps it at its own limit."""


@contextmanager
def bound_socket(settings: IngestSettings) -> Iterator[socket.socket]:
    """Yield a socket that is bound and does not listen yet; see `listen`.

    Several processes on one port each have a socket of their own (SO_REUSEPORT).

    Raises:
        ConfigurationError: the address is taken or is not one of this machine.
    """
    with _socket(settings.host) as bound:
        if settings.workers > 1:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(bound, settings)
        yield bound


def listen(bound: socket.socket, settings: IngestSettings) -> None:
    """Let connections wait to be accepted.

    Raises:
        ConfigurationError: another process that had bound it too was first to listen.
    """
    try:
        bound.listen(backlog)
    except OSError as error:
        raise _cannot_listen(settings, error) from error


@contextmanager
def held_port(settings: IngestSettings) -> Iterator[int]:
    """Hold the address without listening; yield its port, chosen where 0 is given.

    It is bound alone, which fails if another program has it, and shared only then. Bound with
    SO_REUSEPORT from the start, a second instance would take half of the connections unnoticed.

    Raises:
        ConfigurationError: the address is taken or is not one of this machine.
    """
    with _socket(settings.host) as holder:
        _bind(holder, settings)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield holder.getsockname()[1]


def _socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # Only for connections of an earlier run that still linger.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _bind(unbound: socket.socket, settings: IngestSettings) -> None:
    try:
        unbound.bind((settings.host, settings.port))
    except OSError as error:
        raise _cannot_listen(settings, error) from error


def _cannot_listen(settings: IngestSettings, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"ZCC_INGEST_HOST, ZCC_INGEST_PORT: cannot listen on {settings.host}:{settings.port}: "
        f"{error.strerror}"
    )
