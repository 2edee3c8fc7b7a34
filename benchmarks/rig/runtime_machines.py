"""What each pure machine of the runtime costs per record, by how many keys are in flight."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from runtime.errors import TransientError
from runtime.handlers.key_lanes import KeyLanes
from runtime.offsets.metadata import OffsetMap, to_commit
from runtime.offsets.tracker import OffsetTracker
from runtime.retries.policy import RetryPolicy, decide
from runtime.settings import WorkerSettings
from runtime.sinks.batcher import Batcher, BatchLimits
from runtime.values import Delivery

keys_in_flight: Final = (1, 100, 10_000)
_records: Final = 100_000
_rounds: Final = 5
_defaults: Final = WorkerSettings()

Step = Callable[[], object]
"""Does the work of `_records` records, with so many in flight before and after."""


def machines_us(event: Delivery) -> Mapping[str, Mapping[str, float]]:
    """Return microseconds of processor time per record, by machine and keys in flight.

    The offset map is written once for as many records as make a commit due by default, and each
    machine sees records like ``event``.
    """
    makers: Mapping[str, Callable[[Sequence[Delivery]], Step]] = {
        "offset_tracker": _offset_tracker,
        "key_lanes": _key_lanes,
        "offset_map": _offset_map,
        "batcher": _batcher,
        "decide": _decide,
    }
    times_us: dict[str, dict[str, float]] = {machine: {} for machine in makers}
    for count in keys_in_flight:
        held = [replace(event, key=b"%d" % n, offset=n) for n in range(count)]
        for machine, make in makers.items():
            times_us[machine][str(count)] = _us(make(held))
    return times_us


def _us(step: Step) -> float:
    def once() -> float:
        begun_s = time.process_time()
        step()
        return time.process_time() - begun_s

    return round(min(once() for _ in range(_rounds)) / _records * 1e6, 3)


def _picks(count: int) -> Sequence[int]:
    """Which of so many in flight is done next, and next."""
    rng = Random(1)
    return [rng.randrange(count) for _ in range(_records)]


def _offset_tracker(held: Sequence[Delivery]) -> Step:
    tracker = OffsetTracker(OffsetMap((), 0))
    offsets = [each.offset for each in held]
    for offset in offsets:
        tracker.started(offset)
    picks = _picks(len(held))

    def step() -> None:
        following = max(offsets) + 1
        for offset, pick in enumerate(picks, following):
            tracker.finished(offsets[pick])
            tracker.started(offset)
            offsets[pick] = offset

    return step


def _key_lanes(held: Sequence[Delivery]) -> Step:
    lanes = KeyLanes(records=2 * len(held), size_bytes=2**40)
    for each in held:
        lanes.add(each, 0.0)
    picked = [held[pick] for pick in _picks(len(held))]

    def step() -> None:
        for each in picked:
            lanes.finish(each)
            lanes.add(each, 0.0)

    return step


def _offset_map(held: Sequence[Delivery]) -> Step:
    """All between one in flight and the next is done."""
    tracker = OffsetTracker(OffsetMap((), 0))
    spread = max(1, _defaults.commit_records // len(held))
    for offset in range(spread * len(held)):
        tracker.started(offset)
        if offset % spread:
            tracker.finished(offset)

    def step() -> None:
        for _ in range(_records // _defaults.commit_records):
            to_commit(tracker.done)

    return step


def _batcher(held: Sequence[Delivery]) -> Step:
    limits = BatchLimits(_defaults.batch_records, _defaults.batch_bytes, _defaults.batch_age_s)
    picked = [replace(held[pick], offset=offset) for offset, pick in enumerate(_picks(len(held)))]

    def step() -> None:
        batcher = Batcher(limits, {picked[0].source: 0})
        for each in picked:
            batcher.add(each, 0.0)
            if batcher.due(0.0):
                batcher.take()

    return step


def _decide(held: Sequence[Delivery]) -> Step:
    """Each record fails once, for as many reasons as there are keys."""
    policy = RetryPolicy(_defaults.defect_attempts, Random(1))
    errors = [TransientError(each.origin) for each in held]
    picked = [errors[pick] for pick in _picks(len(held))]

    def step() -> None:
        for error in picked:
            decide(error, 1, policy)

    return step
