"""Pure: the bounds of one request and of one connection, and the time limit of each phase."""

from dataclasses import dataclass
from math import inf
from typing import Final, assert_never

from ingest.http.connection_state import ConnectionState, Phase

unread_timeout_s: Final = 10.0
"""Time limit for a client to read responses, and for a connection to close after them."""

_linger_s: Final = 1.0


@dataclass(frozen=True, slots=True)
class RequestBounds:
    """Bounds of one request and one connection."""

    headers: int
    head_bytes: int
    body_bytes: int
    head_timeout_s: float
    body_timeout_s: float
    keep_alive_s: float
    forwarded_hops: int = 0
    """How many proxies write into X-Forwarded-For; see `ingest.webhook.access`."""

    def allow_head(self, headers: int, size_bytes: float) -> bool:
        """Whether a head with these numbers of headers and bytes is allowed."""
        return headers <= self.headers and size_bytes <= self.head_bytes

    def timeout_s(self, state: ConnectionState) -> float:
        """Return how long a connection may stay in its state.

        Requests that wait for the application have no limit here, because it has one of its own.
        """
        if state.is_stalled:
            return unread_timeout_s
        is_waiting = bool(state.requests)
        match state.phase:
            case Phase.HEAD:
                return self.head_timeout_s
            case Phase.BODY | Phase.DISCARD:
                return self.body_timeout_s
            case Phase.NEW | Phase.IDLE:
                return inf if is_waiting else self.keep_alive_s
            case Phase.CLOSING:
                return inf if is_waiting else _linger_s
            case _:
                assert_never(state.phase)
