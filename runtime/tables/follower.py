"""Follows one topic without a group, and hands its records to a table.

A follower reads all partitions from the start, and continues for ever. `LogPositions` decides where
a connection begins and what is missing. An outage keeps the table as it is. Where the topic was
recreated, the table is cleared and everything is read anew. A record that the table refuses is
counted and skipped, because the records behind it matter more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from runtime import metrics
from runtime.clock import Clock
from runtime.contracts import TopicTable
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.ports import LogReader
from runtime.retries.policy import FaultKind, RandomSource, RetryPolicy
from runtime.tables.positions import LogPositions
from runtime.values import Delivery
from runtime.worker.failing_steps import FailingSteps, cause_of, log_interval_s

_poll_s: Final = 0.1
_poll_records: Final = 500
"""Taking them keeps the loop for some milliseconds."""
_longest_retry_s: Final = 2.0
_good_while_s: Final = 60.0
"""After a longer connection, the next failure counts as the first."""
_lasting_s: Final = 10.0
"""A failure is worth a remark after this long."""
_stage: Final = "table"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FollowedTable:
    """A table, and the compacted topic that it follows."""

    topic: str
    table: TopicTable


class TableFollower:
    """Keeps one table up to date while `run` runs."""

    def __init__(
        self,
        followed: FollowedTable,
        connect: Callable[[], LogReader],
        *,
        worker: str,
        clock: Clock,
        rng: RandomSource,
    ) -> None:
        self.caught_up = False
        """Whether the table has all that the topic held when reading of its log began."""
        self.taken_count = 0
        self._topic = followed.topic
        self._table = followed.table
        self._connect = connect
        self._worker = worker
        self._clock = clock
        self._policy = RetryPolicy(1, rng, limit_s=_longest_retry_s)
        self._positions = LogPositions()
        self._has_begun = False
        self._steps = FailingSteps()
        self._is_refused = False
        self._skipped_unlogged = 0
        self._skip_logged_s: float | None = None

    def readiness_problem(self) -> str | None:
        """Return why answers of the table may be missing; None where they are not.

        While the brokers are down, a table that has caught up stays as good as it was.
        """
        now_s = self._clock.monotonic_s()
        causes = "".join(f": {each.describe(now_s)}" for each in self._steps.failing(now_s))
        if not self.caught_up:
            missing = self._positions.missing
            left = f", {missing} records to read" if missing else ""
            return f"waits for the table of {self._topic}{left}{causes}"
        return f"does not follow {self._topic}{causes}" if self._is_refused else None

    def remarks(self) -> str | None:
        """Return what an operator should know although the table has caught up."""
        now_s = self._clock.monotonic_s()
        lasting = self._steps.failing(now_s, at_least_s=_lasting_s)
        lines = [f"does not follow {self._topic}: {each.describe(now_s)}" for each in lasting]
        return "\n".join(lines) or None

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        failures = 0
        while True:
            began_s = self._clock.monotonic_s()
            try:
                async with self._connect() as reader:
                    await self._follow(reader)
            except FencedError as error:
                self._positions.forget()
                self.caught_up = False
                self._failed(error)
            except (TransientError, ConfigurationError) as error:
                self._is_refused = isinstance(error, ConfigurationError)
                self._failed(error)
            lasted_s = self._clock.monotonic_s() - began_s
            failures = 1 if lasted_s > _good_while_s else failures + 1
            await self._clock.sleep(self._policy.delay_s(failures))

    async def _follow(self, reader: LogReader) -> None:
        """Hand over what the reader returns, until it raises."""
        starts, is_anew = self._positions.begin(reader.log)
        if is_anew:
            self._begin_anew()
        reader.begin(starts)
        unreadable = 0
        while True:
            deliveries = await reader.poll(max_records=_poll_records, timeout_s=_poll_s)
            self._steps.worked(_stage)
            self._is_refused = False
            for delivery in deliveries:
                self._take(delivery)
            self._positions.advance(reader.positions)
            if reader.unreadable_count > unreadable:
                self._skip(reader.unreadable_count - unreadable, "no client can decode it")
                unreadable = reader.unreadable_count
            await self._settle(reader, is_idle=not deliveries)
            await asyncio.sleep(0)  # polling may never suspend while records are available

    def _begin_anew(self) -> None:
        self._table.clear()
        self.caught_up = False
        if self._has_begun:
            metrics.table.reloads.labels(self._worker, self._topic).inc()
            log.error(
                "the topic was recreated or lost records; its table is read anew",
                worker=self._worker,
                topic=self._topic,
            )
        self._has_begun = True

    def _take(self, delivery: Delivery) -> None:
        self.taken_count += 1
        try:
            self._table.take(delivery)
        except Exception as error:  # noqa: BLE001 - no record may end the following of the others
            self._skip(1, f"{delivery.origin}: {cause_of(error)}")

    async def _settle(self, reader: LogReader, *, is_idle: bool) -> None:
        """Have the table do what it has put off, once no newer versions of the same follow."""
        lag = self._positions.lag(reader.ends)
        has_all = self._positions.caught_up
        if (is_idle or has_all) and await self._has_settled() and has_all and not self.caught_up:
            self.caught_up = True
            log.info(
                "table caught up",
                worker=self._worker,
                topic=self._topic,
                entries=len(self._table),
                records=self.taken_count,
            )
        labels = (self._worker, self._topic)
        metrics.table.records.labels(*labels).set(len(self._table))
        metrics.table.lag.labels(*labels).set(lag)
        metrics.table.caught_up.labels(*labels).set(self.caught_up)

    async def _has_settled(self) -> bool:
        while True:
            try:
                if self._table.settle():
                    return True
            except ValueError as error:
                self._skip(1, cause_of(error))
            except Exception as error:  # noqa: BLE001 - as in `_take`
                self._skip(1, cause_of(error))
                return False
            await asyncio.sleep(0)

    def _skip(self, count: int, why: str) -> None:
        """Count skipped records, and log it once per interval."""
        metrics.table.skipped.labels(self._worker, self._topic).inc(count)
        self._skipped_unlogged += count
        now_s = self._clock.monotonic_s()
        if self._skip_logged_s is not None and now_s - self._skip_logged_s < log_interval_s:
            return
        log.error(
            "a table skips records that it cannot read",
            worker=self._worker,
            topic=self._topic,
            records=self._skipped_unlogged,
            last=why,
        )
        self._skip_logged_s, self._skipped_unlogged = now_s, 0

    def _failed(self, error: Exception) -> None:
        """Count a failure to follow; it is never our defect, and always tried again."""
        fault = FaultKind.TRANSIENT
        metrics.worker.errors.labels(self._worker, _stage, fault.value).inc()
        now_s = self._clock.monotonic_s()
        failing = self._steps.failed(_stage, fault, error, now_s=now_s)
        if failing is not None:
            log.warning(
                "does not follow the topic of a table, tries again",
                worker=self._worker,
                topic=self._topic,
                error=failing.cause,
            )
