"""Asks for version 2's dataset in the background, one question for many engagements.

The operation is HEAVY, with a limit per day, so it is not called for each engagement. An attempt
finds the row that an earlier one has asked for; meanwhile the outcome goes out with what version 1
knows.
"""

from datetime import timedelta
from typing import Final, cast

import structlog

from processors.outcomes.dataset_queue import DatasetQueue, batch_size
from processors.outcomes.metrics import metrics
from processors.outcomes.parts import Allowed, Reason, read_dataset
from runtime.clock import Clock
from schemas.envelope import JsonObject
from zoom.client import ZoomClient
from zoom.errors import ForbiddenError, ZoomError

_log: Final = structlog.get_logger()

_ended_within: Final = timedelta(days=1)
"""Older engagements are not in the question's window, and keep the durations of version 1."""
_ahead: Final = timedelta(hours=1)
"""Zoom's clock may be ahead."""


class DatasetRows:
    """Implements `processors.outcomes.questions.Dataset`; `run` has to run."""

    def __init__(
        self, client: ZoomClient, *, interval_s: float, allowed: Allowed, clock: Clock
    ) -> None:
        self._client = client
        self._interval_s = interval_s
        self._allowed = allowed
        self._clock = clock
        self._queue = DatasetQueue()
        self._forbidden = False

    def row(self, engagement_id: str) -> JsonObject | Reason:
        """Return the members of the outcome, or why they are not there yet."""
        row = self._queue.take(engagement_id)
        if row is not None:
            return read_dataset(row, self._allowed)
        return Reason.FORBIDDEN if self._forbidden else Reason.NOT_READY

    async def run(self) -> None:
        """Ask at intervals, for ever."""
        while True:
            await self._clock.sleep(self._interval_s)
            await self.ask_once()

    async def ask_once(self) -> None:
        """Ask for the engagements that wait, if there are any."""
        metrics.dataset_waiting.set(len(self._queue))
        batch = self._queue.next_batch()
        if not batch:
            return
        now = self._clock.now()
        try:
            document = await self._client.call(
                "list_engagement_dataset",
                engagement_id=batch,
                end_time_from=now - _ended_within,
                end_time_to=now + _ahead,
                page_size=batch_size,
            )
        except ForbiddenError as error:
            if not self._forbidden:
                _log.warning("zoom forbids a part of outcomes", part="dataset", error=str(error))
            self._forbidden = True
            self._queue.answered(batch, {})
        except ZoomError as error:
            _log.info("the dataset is asked again later", error=str(error))
        else:
            self._forbidden = False
            self._queue.answered(batch, _rows(cast("JsonObject", document)))
        metrics.dataset_waiting.set(len(self._queue))


def _rows(document: JsonObject) -> dict[str, JsonObject]:
    items = document.get("engagements")
    rows = items if isinstance(items, list) else []
    return {
        str(row["engagement_id"]): cast("JsonObject", row)
        for row in rows
        if isinstance(row, dict) and "engagement_id" in row
    }
