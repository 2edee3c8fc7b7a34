"""Pure: which engagements the next question about version 2's dataset is for, and what it brought.

An engagement that Zoom did not have in its answer is asked for again, a few times: the dataset is
filled after the details. The oldest come first.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schemas.envelope import JsonObject

batch_size: Final = 100
"""Engagements of one question, which its page holds. Source: Zoom Contact Center REST API."""

max_engagements: Final = 10_000
"""Engagements that wait, and rows that are kept, each."""

_tries: Final = 3


class DatasetQueue:
    """The engagements that wait, and the rows that nobody has taken yet."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, int] = OrderedDict()
        self._rows: OrderedDict[str, JsonObject] = OrderedDict()

    def __len__(self) -> int:
        """Return how many engagements wait."""
        return len(self._tries)

    def take(self, engagement_id: str) -> JsonObject | None:
        """Return the row of an engagement; without one, let it wait for the next question.

        While too many wait, it does not.
        """
        row = self._rows.pop(engagement_id, None)
        if row is None and len(self._tries) < max_engagements:
            self._tries.setdefault(engagement_id, 0)
        return row

    def next_batch(self) -> Sequence[str]:
        """Return the engagements of the next question, the oldest first."""
        return [engagement_id for engagement_id, _ in zip(self._tries, range(batch_size))]  # noqa: B905 - the shorter one ends it

    def answered(self, batch: Iterable[str], rows: Mapping[str, JsonObject]) -> None:
        """Take the answer to a question: rows by engagement."""
        for engagement_id in batch:
            tries = self._tries.pop(engagement_id, 0) + 1
            row = rows.get(engagement_id)
            if row is not None:
                self._rows[engagement_id] = row
            elif tries < _tries:
                self._tries[engagement_id] = tries
        while len(self._rows) > max_engagements:
            self._rows.popitem(last=False)
