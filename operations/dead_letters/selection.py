"""Pure: the conditions by which a person selects dead letters."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from operations.dead_letters.letter import Letter


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions for a letter. An empty set admits all; times are epoch milliseconds.

    ``from_ms`` is included, ``to_ms`` is not.
    """

    reasons: AbstractSet[str] = frozenset()
    events: AbstractSet[str] = frozenset()
    keys: AbstractSet[bytes] = frozenset()
    origin_topics: AbstractSet[str] = frozenset()
    fingerprints: AbstractSet[str] = frozenset()
    from_ms: int | None = None
    to_ms: int | None = None

    def admits(self, letter: Letter) -> bool:
        """Whether the letter meets all conditions."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.events or letter.event in self.events)
            and (not self.keys or letter.key in self.keys)
            and (not self.origin_topics or _origin_topic(letter) in self.origin_topics)
            and (self.from_ms is None or letter.failed_at_ms >= self.from_ms)
            and (self.to_ms is None or letter.failed_at_ms < self.to_ms)
            and (not self.fingerprints or letter.fingerprint in self.fingerprints)
        )


def _origin_topic(letter: Letter) -> str | None:
    return letter.origin.topic if letter.origin else None
