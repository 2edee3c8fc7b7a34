"""Pure: keys with a dead letter, whose later records have to become dead letters too.

They are kept in the memory of the worker that owns the key: after a restart or with a new owner,
the next record of the key is handled. A record that a person has replayed does not count as later:
it is handled, and its success unblocks the key.
"""

from runtime.values import Delivery
from schemas.headers import replays_header, text


class BlockedKeys:
    """Remembers up to ``max_keys`` keys."""

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._firsts: dict[bytes, str] = {}

    def block(self, delivery: Delivery) -> bool:
        """Block the later records of this record's key; False where the memory is full.

        A record without a key blocks nothing, because nothing belongs to it.
        """
        if delivery.key is None or delivery.key in self._firsts:
            return True
        if len(self._firsts) >= self._max_keys:
            return False
        self._firsts[delivery.key] = delivery.origin
        return True

    def blocking_record(self, delivery: Delivery) -> str | None:
        """Return the origin of the record that blocks this one, None where it may be handled."""
        if not self._firsts or delivery.key is None or _is_replay(delivery):
            return None
        return self._firsts.get(delivery.key)

    def succeeded(self, delivery: Delivery) -> None:
        """Note that a record was handled, which unblocks its key."""
        if self._firsts and delivery.key is not None:
            self._firsts.pop(delivery.key, None)


def _is_replay(delivery: Delivery) -> bool:
    return text(delivery.headers, replays_header) is not None
