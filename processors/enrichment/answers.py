"""Publishes the answers of lookups to the reference topic, so that no other replica has to ask.

Nothing waits for it. Where the topic takes no record for a while, the newest answers are kept, and
the others are given up and counted: the walk finds the same entities.
"""

import asyncio
from collections import OrderedDict
from typing import Final

import structlog

from processors.enrichment.metrics import metrics
from processors.entities.table import ReferenceTable
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import RejectedError, TransientError
from runtime.values import Record
from schemas.reference_record import ReferenceKey, Snapshot, is_newer

_max_waiting: Final = 1000
_pause_s: Final = 1.0

log = structlog.get_logger()


class AnswerPublisher:
    """Offers are published in turn by `run`."""

    def __init__(
        self, publisher: Publisher, table: ReferenceTable, *, topic: str, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._table = table
        self._topic = topic
        self._clock = clock
        self._waiting: OrderedDict[ReferenceKey, Snapshot] = OrderedDict()
        self._offered = asyncio.Event()

    def offer(self, snapshot: Snapshot) -> None:
        """Publish an answer soon; of one entity only the last."""
        self._waiting[snapshot.key] = snapshot
        self._waiting.move_to_end(snapshot.key)
        if len(self._waiting) > _max_waiting:
            self._waiting.popitem(last=False)
            metrics.answers_given_up.inc()
        self._offered.set()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._waiting:
                key = next(iter(self._waiting))
                snapshot = self._waiting.pop(key)
                if self._is_news(snapshot):
                    await self._publish(snapshot)

    def _is_news(self, snapshot: Snapshot) -> bool:
        """Return whether the table lacks it: a webhook or the walk may have said more meanwhile."""
        known = self._table.get(*snapshot.key)
        if known is None:
            return True
        is_newer_state = is_newer(snapshot.as_of_ms, known.as_of_ms, this_gone=False)
        return is_newer_state and known.state != snapshot.state

    async def _publish(self, snapshot: Snapshot) -> None:
        record = Record(self._topic, snapshot.key.encode(), snapshot.value, snapshot.headers)
        try:
            await self._publisher.publish(record)
        except TransientError:
            self._waiting.setdefault(snapshot.key, snapshot)
            self._waiting.move_to_end(snapshot.key, last=False)
            await self._clock.sleep(_pause_s)
        except RejectedError as error:
            metrics.answers_given_up.inc()
            log.warning(
                "an answer cannot be published", entity=snapshot.key.entity, error=str(error)
            )
