"""Ports of 127.0.0.1: free ones that stay ours while their part is stopped, and connections."""

import asyncio
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devstack.options import DevstackError

HOST = "127.0.0.1"
ANSWER_TIMEOUT_S = 2.0
# Below the range from which Linux takes the ports of outgoing connections.
FREE_PORTS = range(15000, 32000)
TRIES = 100


class ReservedPort:
    """A port that is bound, but not listened on.

    On Linux a server that sets SO_REUSEADDR (Kafka, Postgres and S3Proxy do) can bind it all the
    same as long as nobody listens, so the reservation is kept until `release`. Elsewhere that is
    not so, and the reservation ends before the server starts.
    """

    def __init__(self, reservation: socket.socket) -> None:
        self.number: int = reservation.getsockname()[1]
        self._reservation = reservation
        if sys.platform != "linux":
            reservation.close()

    def release(self) -> None:
        """Let others have the port."""
        self._reservation.close()


def reserve(wanted: int) -> ReservedPort:
    """Reserve the port, or any free one for 0.

    Raises:
        DevstackError: somebody else uses the port.
    """
    reservation = _reserved_exactly(wanted) if wanted else _reserved_somewhere()
    return ReservedPort(reservation)


def _reserved_exactly(number: int) -> socket.socket:
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reservation.bind((HOST, number))
    except OSError as error:
        reservation.close()
        raise DevstackError(
            f"port {number} of {HOST} cannot be had; stop what uses it, or name another: {error}"
        ) from error
    return reservation


def _reserved_somewhere() -> socket.socket:
    """Bound before it is shared, so that two stacks that start now never get the same port."""
    reservation = socket.socket()
    for number in random.sample(FREE_PORTS, TRIES):
        try:
            reservation.bind((HOST, number))
        except OSError:
            continue
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return reservation
    reservation.close()
    raise DevstackError(f"found no free port of {HOST} in {TRIES} tries")


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a local server for one question, within a time limit.

    Raises:
        OSError: nothing listens, or no answer came in time.
    """
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            yield reader, writer
        finally:
            writer.close()
