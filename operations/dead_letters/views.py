"""Pure: dead letters as tables and lines for people, and as JSON objects for programs.

Headers and errors hold text of others: a terminal never reads control characters or markup in it.
"""

import base64
from collections.abc import Collection, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from operations.dead_letters.actions import Act, ActionRefused
from operations.dead_letters.audit import Handling
from operations.dead_letters.letter import Letter
from operations.dead_letters.summary import Group
from operations.printable import printable
from runtime.values import Delivery
from schemas.headers import timestamp

JsonObject = dict[str, object]


def letter_object(letter: Letter, handling: Handling | None) -> JsonObject:
    """Return a letter for programs, its key and body left out."""
    return {
        "letter": str(letter.record_id),
        "worker": letter.worker,
        "reason": letter.reason,
        "event": letter.event,
        "error": letter.error,
        "failed_at": timestamp(letter.failed_at_ms),
        "attempts": letter.attempts,
        "replays": letter.replays,
        "origin": str(letter.origin) if letter.origin else None,
        "fingerprint": letter.fingerprint,
        "handled": handling._asdict() if handling else None,
    }


def whole_letter_object(
    delivery: Delivery, letter: Letter, handling: Handling | None
) -> JsonObject:
    """Return a letter with its key and all its headers."""
    return {
        **letter_object(letter, handling),
        "key": None if letter.key is None else letter.key.decode("utf-8", "replace"),
        "size_bytes": delivery.size_bytes,
        "headers": [[name, value.decode("utf-8", "replace")] for name, value in delivery.headers],
    }


def body_object(body: bytes | None) -> JsonObject:
    """Return a body as text, or in Base64 if it is not UTF-8."""
    try:
        return {"body": None if body is None else body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body or b"").decode()}


def group_object(group: Group) -> JsonObject:
    """Return a group of letters for programs."""
    return {
        "count": group.count,
        "fingerprint": group.fingerprint,
        "worker": group.worker,
        "reason": group.reason,
        "event": group.event,
        "error": group.error,
        "first": timestamp(group.first_ms),
        "last": timestamp(group.last_ms),
        "example": str(group.example),
    }


def outcome_object(letter: Letter, outcome: Act | ActionRefused) -> JsonObject:
    """Return the outcome for a letter as an object."""
    shown: JsonObject = {"letter": str(letter.record_id), "fingerprint": letter.fingerprint}
    if isinstance(outcome, ActionRefused):
        return shown | {"outcome": "refused", "why": outcome.why}
    to = outcome.record.topic if outcome.record else None
    return shown | {"outcome": outcome.action, "to": to, "replays": outcome.replays}


def outcome_line(letter: Letter, outcome: Act | ActionRefused) -> str:
    """Return the outcome for a letter as a line."""
    if isinstance(outcome, ActionRefused):
        return f"refused {letter.record_id}: {printable(outcome.why)}"
    done = f"{outcome.action} {letter.record_id}"
    return f"{done} to {outcome.record.topic}" if outcome.record else done


def letters_table(letters: Sequence[tuple[Letter, Handling | None]]) -> Table:
    """Return a row for each letter."""
    columns = ("failed at", "letter", "reason", "event", "origin", "replays", "fingerprint")
    handled = any(handling for _, handling in letters)
    table = _table(*columns, *(["handled"] if handled else []))
    for letter, handling in letters:
        cells = (
            timestamp(letter.failed_at_ms),
            str(letter.record_id),
            letter.reason,
            letter.event,
            str(letter.origin or ""),
            str(letter.replays),
            letter.fingerprint,
        )
        table.add_row(*_texts(*cells, *([_handled(handling)] if handled else [])))
    return table


def groups_table(groups: Collection[Group]) -> Table:
    """Return a row for each group."""
    table = _table(
        *("count", "fingerprint", "worker", "reason", "event", "error", "first", "last", "example")
    )
    for group in groups:
        table.add_row(*_texts(*map(str, group_object(group).values())))
    return table


def whole_letter_lines(
    delivery: Delivery, letter: Letter, handling: Handling | None
) -> Iterator[str]:
    """Yield a letter with its key and all its headers, a line each."""
    yield f"letter: {letter.record_id}"
    yield f"handled: {_handled(handling) or 'no'}"
    yield f"fingerprint: {letter.fingerprint}"
    yield f"key: {'none' if letter.key is None else _shown(letter.key)}"
    yield f"size: {delivery.size_bytes} bytes"
    yield "headers:"
    yield from (f"  {printable(name)}: {_shown(value)}" for name, value in delivery.headers)


def body_lines(body: bytes | None) -> Iterator[str]:
    """Yield a body for people."""
    yield "body:" if body is not None else "body: none"
    yield from (_shown(line) for line in (body or b"").splitlines())


def _shown(value: bytes) -> str:
    return printable(value.decode("utf-8", "backslashreplace"))


def _handled(handling: Handling | None) -> str:
    if handling is None:
        return ""
    action, by, at, reason = handling
    return f"{action} by {by} at {at}" + (f": {reason}" if reason else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _texts(*cells: str) -> list[Text]:
    return [Text(printable(cell)) for cell in cells]
