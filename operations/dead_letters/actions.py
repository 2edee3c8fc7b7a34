"""Pure: what may be done about a dead letter: send its record again, or dismiss it.

A record goes out as the worker read it: the same key, value and headers, without those that made it
a dead letter, and with ``zcc-replays``, which counts. Whoever fails on it again sets it aside again
with that count, so a record that can never be handled is not sent round for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from operations.components import workers
from operations.dead_letters.audit import Action, AuditLine, name_of
from operations.dead_letters.letter import Letter, RecordId
from runtime.values import Delivery, Record
from schemas.headers import (
    Headers,
    attempts_header,
    due_at_header,
    first_failed_at_header,
    origin_header,
    replays_header,
    timestamp,
)
from schemas.topics import retry_topic
from schemas.topics.terms import header_sets

_added: Final = frozenset(header.name for header in header_sets["dead-letter"])


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done: ``record`` is sent, None where nothing is; then a line says ``action``.

    ``replays`` is how often the record has been sent again, this time included.
    """

    action: Action
    record: Record | None
    replays: int


@dataclass(frozen=True, slots=True)
class ActionRefused:
    """Nothing is done, and why; letters with the same reason have the same text."""

    why: str


Judge = Callable[[Delivery, Letter], Act | ActionRefused]
"""Decides about a letter; called again with the same letter it decides the same."""


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """Bounds of replays: how often at most, and the topics of the deployment with their partitions.

    Topics that do not exist are left out.
    """

    prefix: str
    most_replays: int
    partitions: Mapping[str, int]


def discard(delivery: Delivery, letter: Letter) -> Act | ActionRefused:  # noqa: ARG001 - a Judge has both
    """Let the letter count as handled."""
    return Act("discarded", None, letter.replays)


def to_origin(delivery: Delivery, letter: Letter, rules: ReplayRules) -> Act | ActionRefused:
    """Send the record back where the worker read it, for all who read there.

    It goes to its old partition, so that it stays behind what it was behind, unless there is none
    of that number any more.
    """
    origin = _origin(letter, rules)
    if isinstance(origin, ActionRefused):
        return origin
    topic, partition, _ = origin
    count = rules.partitions.get(topic)
    if count is None:
        return ActionRefused(f"{topic} is no topic of this deployment")
    replays = letter.replays + 1
    headers = (*_as_read(delivery.headers), (replays_header, b"%d" % replays))
    known = partition if partition < count else None
    record = Record(topic, delivery.key, delivery.value, headers, known)
    return Act("replayed", record, replays)


def to_worker(
    delivery: Delivery, letter: Letter, rules: ReplayRules, *, now_ms: int
) -> Act | ActionRefused:
    """Send the record to the worker that failed and nobody else, through its retry topic."""
    origin = _origin(letter, rules)
    if isinstance(origin, ActionRefused):
        return origin
    delays_s = workers.get(letter.worker)
    if not delays_s:
        return ActionRefused(f"{letter.worker} has no retry topic: send it to the original topic")
    topic = retry_topic(letter.worker, delays_s[0], prefix=rules.prefix)
    if topic not in rules.partitions:
        return ActionRefused(f"{topic} does not exist: `zcc topics apply` creates it")
    replays = letter.replays + 1
    told = {
        replays_header: str(replays),
        origin_header: str(origin),
        attempts_header: "0",
        first_failed_at_header: timestamp(letter.failed_at_ms),
        due_at_header: timestamp(now_ms),
    }
    own = tuple((name, value.encode()) for name, value in told.items())
    record = Record(topic, delivery.key, delivery.value, _as_read(delivery.headers) + own)
    return Act("replayed", record, replays)


def line_of(letter: Letter, act: Act, *, by: str, at: str, reason: str) -> AuditLine:
    """Return the line that says that it was done."""
    name = name_of(letter)
    return AuditLine(
        letter=str(name.place),
        failed_at=name.failed_at,
        worker=letter.worker,
        origin=str(letter.origin or ""),
        fingerprint=letter.fingerprint,
        action=act.action,
        to=act.record.topic if act.record else "",
        replays=act.replays,
        by=by,
        at=at,
        reason=reason,
    )


def _origin(letter: Letter, rules: ReplayRules) -> RecordId | ActionRefused:
    """Return where a record that may be sent again was read."""
    if letter.replays >= rules.most_replays:
        return ActionRefused(
            f"sent again {letter.replays} times already: mend the cause, then raise --max-replays"
        )
    return letter.origin or ActionRefused("its headers do not say where it was read")


def _as_read(headers: Headers) -> Headers:
    """Return the headers that the worker read.

    What a dead letter adds stands after what was read, so of each name the last one goes. The
    count of replays is written anew.
    """
    added, kept = set(_added), []
    for header in reversed(headers):
        if header[0] in added:
            added.remove(header[0])
        elif header[0] != replays_header:
            kept.append(header)
    return tuple(reversed(kept))
