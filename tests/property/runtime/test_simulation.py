"""Workers in simulated time: what always holds, and that the simulation would notice if it did not.

Each seed is one history; `python -m tests.support.histories.simulate` runs as many as one likes.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from runtime.contracts import Settled
from runtime.errors import FencedError, TransientError
from runtime.offsets.metadata import from_committed, to_commit
from runtime.ports import Position
from runtime.process import metrics_exposition
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.sinks.batch_plans import pending
from runtime.values import Delivery, Record, TopicPartition
from tests.support.each_case import each_case
from tests.support.fakes.kafka_publisher import FakePublisher
from tests.support.histories.handler import HandlerHistory
from tests.support.histories.history import History, ViolationError, WatchedConsumer, lived
from tests.support.histories.poller import PollerHistory, WatchedTransactions
from tests.support.histories.simulate import explored
from tests.support.histories.sink import SinkHistory

pytestmark = pytest.mark.thorough
seeds = range(200)
top = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Thousands of log lines cost more time than the work that they describe."""
    with capture_logs():
        yield


@pytest.mark.parametrize("kind", [HandlerHistory, SinkHistory, PollerHistory])
@each_case("seed", seeds)
def test_nothing_is_lost_or_out_of_order_whatever_happens(kind: type[History], seed: int) -> None:
    lived(kind(seed))


@pytest.mark.parametrize("kind", [HandlerHistory, SinkHistory, PollerHistory])
def test_a_seed_repeats_a_history_exactly_and_another_one_does_not(kind: type[History]) -> None:
    digests = [lived(kind(seed)).digest for seed in (3, 3, 4)]
    assert digests[0] == digests[1] != digests[2]


def test_a_seed_repeats_a_history_in_another_process_too() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-m", "tests.support.histories.simulate", "--seeds", "10"],
            env=os.environ | {"PYTHONHASHSEED": salt},
            cwd=top,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(printed) == 1
    assert lived(HandlerHistory(3)).digest in printed.pop()


def test_the_histories_reach_what_they_are_for() -> None:
    before = metrics_exposition.exposition()
    repeats = sum(lived(HandlerHistory(seed)).repeats for seed in range(20))
    after = metrics_exposition.exposition()
    assert repeats > 0
    for reached in ("skipped_records", "late", "fenced", "dead_letters", "errors"):
        name = f"zcc_worker_{reached}_total"
        assert metrics_exposition.total(after, name) > metrics_exposition.total(before, name), name
    ignored = "zcc_worker_ignored_maps_total"
    assert metrics_exposition.total(after, ignored) == metrics_exposition.total(before, ignored)


class CommitsOneTooFar(WatchedConsumer):
    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        await super().commit({s: Position(at.offset + 1) for s, at in positions.items()})


class CommitsRarely(WatchedConsumer):
    calls = 0

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        self.calls += 1
        if self.calls % 30 == 0:
            await super().commit(positions)


class ClaimsTooMuch(WatchedConsumer):
    """Leaves the last unfinished record out of the map."""

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        claimed = {}
        for source, position in positions.items():
            done = from_committed(position, log_end=self._history.broker.logs[source].end)
            claimed[source] = to_commit(replace(done, unfinished=done.unfinished[:-1]))
            if len(done.unfinished) < 2:
                claimed[source] = position
        await super().commit(claimed)


class ForgetsMetadataOfPositions(WatchedConsumer):
    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        positions = await super().committed(partitions)
        return {s: at and Position(at.offset) for s, at in positions.items()}


class LetsTwoOfAKeyRun(WatchedConsumer):
    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        records = await super().poll(max_records=max_records, timeout_s=timeout_s)
        return [replace(d, key=b"%d" % d.offset) for d in records]


class LosesARecord(WatchedConsumer):
    read = count(1)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        records = await super().poll(max_records=max_records, timeout_s=timeout_s)
        return [delivery for delivery in records if next(self.read) % 50]


class IsNeverFenced(WatchedConsumer):
    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        try:
            await super().commit(positions)
        except FencedError:
            for source, position in positions.items():
                before = self._history.committed_at(source)
                self._history.committed(self._life, source, before, position)
                self._history.group.committed[source] = position


class PlansNothing(WatchedConsumer):
    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        await super().commit({s: Position(at.offset) for s, at in positions.items()})


class CommitsBeforeItStores(WatchedConsumer):
    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        spans = {source: pending(position) for source, position in positions.items()}
        await super().commit(
            {s: Position(span.end) if span else positions[s] for s, span in spans.items()}
        )


class SaysThatALostRecordIsStored(FakePublisher):
    def send(self, record: Record, settled: Settled) -> None:
        super().send(record, lambda _: settled(None))


class AcknowledgesEarly(FakePublisher):
    """Sends again by itself what was not acknowledged, after the worker believes it is done."""

    def send(self, record: Record, settled: Settled) -> None:
        super().send(record, lambda error: self._again(record) if error else None)
        asyncio.get_running_loop().call_soon(settled, None)

    def _again(self, record: Record) -> None:
        try:
            super().send(record, lambda error: self._again(record) if error else None)
        except TransientError:
            asyncio.get_running_loop().call_later(0.01, self._again, record)


def violation_of(kind: type[History], broken: type[WatchedConsumer]) -> str:
    """Return what the simulation says of a broken worker, in one of a few histories."""

    class Broken(kind):  # type: ignore[valid-type,misc]  # a class chosen by the caller
        consumer = broken

    return first_violation(Broken)


def first_violation(kind: type[History]) -> str:
    for seed in range(100):
        try:
            lived(kind(seed))
        except ViolationError as violation:
            return str(violation)
    return "nothing"


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (CommitsOneTooFar, "passed"),
        (CommitsRarely, "were done since the last commit|not committed"),
        (ClaimsTooMuch, "as done"),
        (ForgetsMetadataOfPositions, "was known to be done"),
        (LetsTwoOfAKeyRun, "run at once"),
        (LosesARecord, "was settled before|passed|as done"),
        (IsNeverFenced, "went back|forgot"),
    ],
)
def test_the_simulation_finds_a_broken_worker(broken: type[WatchedConsumer], expected: str) -> None:
    assert re.search(expected, violation_of(HandlerHistory, broken))


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (SaysThatALostRecordIsStored, "was settled before|passed|as done"),
        (AcknowledgesEarly, "was settled before|passed|as done"),
    ],
)
def test_the_simulation_finds_what_counts_as_done_before_its_results_are_stored(
    broken: type[FakePublisher], expected: str
) -> None:
    class Broken(HandlerHistory):
        publisher = broken

    assert re.search(expected, first_violation(Broken))


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (CommitsOneTooFar, "passed"),
        (ForgetsMetadataOfPositions, "planned up to"),
        (LosesARecord, "instead of"),
        (PlansNothing, "was not planned"),
        (CommitsBeforeItStores, "passed"),
    ],
)
def test_the_simulation_finds_a_broken_sink_worker(
    broken: type[WatchedConsumer], expected: str
) -> None:
    assert re.search(expected, violation_of(SinkHistory, broken))


class CommitsTooFar(HandlerHistory):
    consumer = CommitsOneTooFar


def test_a_violation_is_reported_with_its_seed_and_how_to_see_it() -> None:
    assert explored(HandlerHistory, [3]) == ([f"handler 3 {lived(HandlerHistory(3)).digest}"], None)
    held, violation = explored(CommitsTooFar, [5, 6])
    assert held == []
    assert violation is not None
    assert "CommitsTooFar, seed 5, at " in violation
    assert violation.endswith(
        "-m tests.support.histories.simulate --kind handler --first 5 --trace"
    )


class GivesUpEarly(HandlerHistory):
    fixed: ClassVar = {"defect_attempts": 1}


def test_the_simulation_finds_a_dead_letter_that_came_too_early() -> None:
    assert "became a dead letter without cause" in first_violation(GivesUpEarly)


@pytest.mark.parametrize("kind", [HandlerHistory, SinkHistory])
def test_what_is_poisoned_is_paused_in_the_histories(kind: type[History]) -> None:
    with capture_logs() as logs:
        for seed in range(0, 30, 3):
            lived(kind(seed))
    assert any(entry["event"] == "paused" for entry in logs)


class ForgetsDeadLetters(HandlerHistory):
    async def _past_letters(self) -> DeadLetterHistory:
        return DeadLetterHistory()


def test_the_simulation_finds_a_restart_that_counts_from_zero() -> None:
    assert "too many became dead letters" in first_violation(ForgetsDeadLetters)


class IsNeverFencedAsPublisher(WatchedTransactions):
    def refuse_fenced(self) -> None:
        pass


class LosesARecordOfAPage(WatchedTransactions):
    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        super().store([each for each in placed if each[1].value != b"a 7"])


class TurnsPagesRound(WatchedTransactions):
    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        super().store([*placed[-2::-1], *placed[-1:]])


class StoresTheWatermarkFirst(WatchedTransactions):
    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        super().store([*placed[-1:], *placed[:-1]])


class ForgetsTheWatermark(WatchedTransactions):
    stores = count(1)

    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        super().store(placed if next(self.stores) % 5 or len(placed) == 1 else placed[:-1])


class SaysThatAnUnknownEndWasNone(WatchedTransactions):
    """Publishes again what is not acknowledged, as a plain producer would."""

    async def publish(self, records: Sequence[Record]) -> None:
        try:
            await super().publish(records)
        except TransientError:
            self._usable = True
            await super().publish(records)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (IsNeverFencedAsPublisher, "after a successor began"),
        (LosesARecordOfAPage, "7 of a was skipped"),
        (TurnsPagesRound, "was skipped"),
        (StoresTheWatermarkFirst, "ahead of its records"),
        (ForgetsTheWatermark, "was published before"),
        (SaysThatAnUnknownEndWasNone, "was published before|no new generation"),
    ],
)
def test_the_simulation_finds_a_broken_publisher_of_a_poller(
    broken: type[WatchedTransactions], expected: str
) -> None:
    class Broken(PollerHistory):
        transactions = broken

    assert re.search(expected, first_violation(Broken))


class ReadsWhatStoodThereBefore(PollerHistory):
    """Reads the watermarks before those of the member before are all there."""

    async def read_watermarks(self) -> Sequence[Delivery]:
        return (await super().read_watermarks())[:-1]


class ReadsNoWatermarks(PollerHistory):
    async def read_watermarks(self) -> Sequence[Delivery]:
        return ()


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (ReadsWhatStoodThereBefore, "was published before|no new generation"),
        (ReadsNoWatermarks, "no new generation"),
    ],
)
def test_the_simulation_finds_a_poller_that_takes_over_from_an_old_state(
    broken: type[PollerHistory], expected: str
) -> None:
    assert re.search(expected, first_violation(broken))


def test_the_histories_of_pollers_reach_what_they_are_for() -> None:
    before = metrics_exposition.exposition()
    histories = [lived(PollerHistory(seed)) for seed in range(20)]
    after = metrics_exposition.exposition()
    assert sum(history.claims for history in histories) > 60
    for reached in ("zcc_worker_fenced_total", "zcc_poller_failures_total"):
        grown = metrics_exposition.total(after, reached)
        assert grown > metrics_exposition.total(before, reached), reached
    events = {
        event[2] for history in histories for event in history.trace if event[1] == "disruption"
    }
    assert "freeze" in events
