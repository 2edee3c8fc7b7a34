"""Pure: the bounds of one request and of one connection, and how long each phase may take."""

from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import Final, assert_never

unread_s: Final = 10.0
"""So long may answers wait to be read, or a connection to be closed behind them."""

_linger_s: Final = 1.0


class Phase(Enum):
    """What is read next from a connection."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()
    """The last answer is written; what still comes is dropped."""


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
    """How many proxies write into X-Forwarded-For, as `ingest.webhook.access` has it."""

    def allowed_s(self, phase: Phase, *, is_waited_for: bool, is_stalled: bool) -> float:
        """Return how long a phase may take.

        ``is_waited_for``: requests of the connection wait for their answers. ``is_stalled``: its
        client does not read those that are written.
        """
        if is_stalled:
            return unread_s
        match phase:
            case Phase.HEAD:
                return self.head_timeout_s
            case Phase.BODY:
                return self.body_timeout_s
            case Phase.IDLE:
                return inf if is_waited_for else self.keep_alive_s
            case Phase.NOTHING:
                return inf if is_waited_for else _linger_s
            case _:
                assert_never(phase)
