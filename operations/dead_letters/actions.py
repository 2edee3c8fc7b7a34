"""Pure: the actions on a dead letter: replay its record, or discard it.

A replay has the key, value and headers that the worker read, without the headers of the dead
letter, and with the counter ``zcc-replays``. A worker that fails again copies the counter into the
new dead letter, so a record that always fails is not replayed for ever.
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
    """An action: send ``record`` if there is one, then write an audit line with ``action``.

    ``replays`` counts how often the record has been sent again, this time included.
    """

    action: Action
    record: Record | None
    replays: int


@dataclass(frozen=True, slots=True)
class ActionRefused:
    """No action, with the reason; letters with the same reason have the same text."""

    why: str


Judge = Callable[[Delivery, Letter], Act | ActionRefused]
"""Decides on a letter; the decision for the same letter is always the same."""


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """Bounds of replays: the most replays of a record, and the partitions of existing topics."""

    prefix: str
    max_replays: int
    partitions: Mapping[str, int]


def discard(delivery: Delivery, letter: Letter) -> Act | ActionRefused:  # noqa: ARG001 - a Judge has both
    """Let the letter count as handled."""
    return Act("discarded", None, letter.replays)


def to_origin(delivery: Delivery, letter: Letter, rules: ReplayRules) -> Act | ActionRefused:
    """Send the record to the topic that the worker read, for all consumers of that topic.

    It goes to its old partition, so that it stays in order, unless that partition is gone.
    """
    origin = _origin(letter, rules)
    if isinstance(origin, ActionRefused):
        return origin
    topic, partition, _ = origin
    count = rules.partitions.get(topic)
    if count is None:
        return ActionRefused(f"{topic} is not a topic of this deployment")
    replays = letter.replays + 1
    headers = (*_as_read(delivery.headers), (replays_header, b"%d" % replays))
    known = partition if partition < count else None
    record = Record(topic, delivery.key, delivery.value, headers, known)
    return Act("replayed", record, replays)


def to_worker(
    delivery: Delivery, letter: Letter, rules: ReplayRules, *, now_ms: int
) -> Act | ActionRefused:
    """Send the record to the worker that failed and no other, through its retry topic."""
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
    added = {
        replays_header: str(replays),
        origin_header: str(origin),
        attempts_header: "0",
        first_failed_at_header: timestamp(letter.failed_at_ms),
        due_at_header: timestamp(now_ms),
    }
    own = tuple((name, value.encode()) for name, value in added.items())
    record = Record(topic, delivery.key, delivery.value, _as_read(delivery.headers) + own)
    return Act("replayed", record, replays)


def line_of(letter: Letter, act: Act, *, by: str, at: str, reason: str) -> AuditLine:
    """Return the audit line of an action."""
    name = name_of(letter)
    return AuditLine(
        letter=str(name.record_id),
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
    """Return the origin of a record that may be sent again."""
    if letter.replays >= rules.max_replays:
        return ActionRefused(
            f"replayed {letter.replays} times already: fix the cause, then raise --max-replays"
        )
    return letter.origin or ActionRefused("its headers do not say where it was read")


def _as_read(headers: Headers) -> Headers:
    """Return the headers that the worker read.

    A dead letter appends its headers, so the last one of each name is removed. The counter of
    replays is written anew.
    """
    added, kept = set(_added), []
    for header in reversed(headers):
        if header[0] in added:
            added.remove(header[0])
        elif header[0] != replays_header:
            kept.append(header)
    return tuple(reversed(kept))
