"""Pure: keys of which a record was set aside, and whose later records are to follow it.

Kept in memory, by who works on the key: a restart or a new owner knows nothing of it, and goes on
with the next record. A record that a person sent again is no later one: it is handled, and where it
succeeds its key is free again.
"""

from runtime.values import Delivery
from schemas.headers import replays_header, text


class BlockedKeys:
    """Remembers up to ``most_keys`` keys."""

    def __init__(self, most_keys: int) -> None:
        self._most_keys = most_keys
        self._firsts: dict[bytes, str] = {}

    def block(self, delivery: Delivery) -> bool:
        """Have the later records of its key follow this one; False where there is no room.

        Nothing belongs to a record without a key, so nothing follows it.
        """
        if delivery.key is None or delivery.key in self._firsts:
            return True
        if len(self._firsts) >= self._most_keys:
            return False
        self._firsts[delivery.key] = delivery.origin
        return True

    def blocking_record(self, delivery: Delivery) -> str | None:
        """Return the origin of the record that this one has to follow, None where it may go on."""
        if not self._firsts or delivery.key is None or _sent_again(delivery):
            return None
        return self._firsts.get(delivery.key)

    def succeeded(self, delivery: Delivery) -> None:
        """Note that a record was handled."""
        if self._firsts and delivery.key is not None:
            self._firsts.pop(delivery.key, None)


def _sent_again(delivery: Delivery) -> bool:
    return text(delivery.headers, replays_header) is not None
