"""Pure: what the records of the raw and the enriched topics say of a run of `benchmarks.names`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from runtime.values import Delivery
from schemas.headers import event_id_header, revision_header, text

Place = tuple[str, bytes | None]
"""The family and the key of a record: what order is kept within."""

Span = tuple[int, int]
"""From one time to another, in milliseconds."""


class Seen(NamedTuple):
    """A record of one revision of an event; ``at_ms`` is when the broker appended it."""

    event_id: str
    place: Place
    at_ms: int
    revision: int = 0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the events. Shares of all events; milliseconds from append to append.

    ``disordered`` counts events whose first revision comes for the first time behind that of a
    later event of the same key. ``most_ms_but_kills`` leaves out events that were in flight while a
    replica was missing. ``late`` has the seconds since the first event in which one was appended
    that took more than ``late_ms``, and the most that one of them took.
    """

    events: int
    complete_at_first: float
    complete_in_time: float
    partial: int
    skipped: int
    uncorrected: int
    lost: int
    repeats: int
    disordered: int
    p50_ms: int
    p99_ms: int
    most_ms: int
    most_ms_but_kills: int
    late: Mapping[int, int]


def seen(delivery: Delivery, *, enriched: bool) -> Seen:
    """Read a record."""
    event_id = text(delivery.headers, event_id_header) or ""
    place = delivery.topic.rpartition(".enriched." if enriched else ".raw.")[2], delivery.key
    if not enriched:
        return Seen(event_id, place, delivery.timestamp_ms)
    revision = int(text(delivery.headers, revision_header) or "0")
    status = orjson.loads(delivery.value or b"{}")["enrichment"]["status"]
    return Seen(event_id, place, delivery.timestamp_ms, revision, status)


def figures(
    raw: Sequence[Seen],
    enriched: Sequence[Seen],
    *,
    within_s: float,
    late_ms: float,
    kills: Sequence[Span] = (),
) -> Figures:
    """Compare; both in the order of their partitions.

    Args:
        raw: the events.
        enriched: their revisions.
        within_s: time in which a revision completes an event.
        late_ms: above it an event is late.
        kills: when a replica was missing.
    """
    begun_ms = {each.event_id: each.at_ms for each in raw}
    first: dict[str, Seen] = {}
    completed_ms: dict[str, int] = {}
    repeats = 0
    for each in enriched:
        if each.revision == 1:
            repeats += each.event_id in first
            first.setdefault(each.event_id, each)
        if each.status == "complete":
            earlier_ms = completed_ms.get(each.event_id, each.at_ms)
            completed_ms[each.event_id] = min(earlier_ms, each.at_ms)
    waits = sorted(
        (each.at_ms - begun_ms[each.event_id], begun_ms[each.event_id])
        for each in first.values()
        if each.event_id in begun_ms
    )
    at_first = Counter(each.status for each in first.values())
    in_time = sum(
        at_ms - begun_ms[event_id] <= within_s * 1000
        for event_id, at_ms in completed_ms.items()
        if event_id in begun_ms
    )
    partial = {each.event_id for each in first.values() if each.status == "partial"}
    waits_ms = [wait_ms for wait_ms, _ in waits]
    calm_ms = [
        wait_ms
        for wait_ms, at_ms in waits
        if not any(begin <= at_ms + wait_ms and at_ms <= end for begin, end in kills)
    ]
    return Figures(
        events=len(raw),
        complete_at_first=_share(at_first["complete"], len(raw)),
        complete_in_time=_share(in_time, len(raw)),
        partial=len(partial),
        skipped=at_first["skipped"],
        uncorrected=len(partial - completed_ms.keys()),
        lost=len(begun_ms.keys() - first.keys()),
        repeats=repeats,
        disordered=_disordered(raw, first.values()),
        p50_ms=_quantile(waits_ms, 0.5),
        p99_ms=_quantile(waits_ms, 0.99),
        most_ms=_quantile(waits_ms, 1.0),
        most_ms_but_kills=_quantile(calm_ms, 1.0),
        late=_late(waits, late_ms),
    )


def _late(waits: Sequence[tuple[int, int]], late_ms: float) -> Mapping[int, int]:
    start_ms = min((at_ms for _, at_ms in waits), default=0)
    late = {(at_ms - start_ms) // 1000: wait_ms for wait_ms, at_ms in waits if wait_ms > late_ms}
    return dict(sorted(late.items()))


def _disordered(raw: Iterable[Seen], first: Iterable[Seen]) -> int:
    wanted: Mapping[Place, list[str]] = _by_place(raw)
    numbers = {event_id: number for ids in wanted.values() for number, event_id in enumerate(ids)}
    disordered = 0
    for ids in _by_place(first).values():
        highest = -1
        for number in (numbers[event_id] for event_id in ids if event_id in numbers):
            disordered += number < highest
            highest = max(highest, number)
    return disordered


def _by_place(records: Iterable[Seen]) -> Mapping[Place, list[str]]:
    places: defaultdict[Place, list[str]] = defaultdict(list)
    for each in records:
        places[each.place].append(each.event_id)
    return places


def _quantile(sorted_values: Sequence[int], part: float) -> int:
    if not sorted_values:
        return 0
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]


def _share(count: int, whole: int) -> float:
    return round(count / whole, 5) if whole else 0.0
