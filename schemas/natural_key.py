"""Pure: the natural key of an event: the vendor's members that identify it.

``event_id`` needs the whole webhook. What is learnt elsewhere, from a list of the REST API, has
other members, so it is matched by those that both sides have. The parts of each event stand in
``events.json``:

    engagement_id                      a member of what the event is about, ``payload.object``
    sms.consumer_number                a member below
    users[].user_id                    of every item, in the order of the alphabet
    one_member|another                 the first that is there
    sha256:message_text                its hash, as the text itself would be too much
    event_ts                           that of the envelope, where the event has no time of its own

Weak, and accepted: two equal messages of one person in the same millisecond.
Source: Zoom Contact Center webhooks, OpenAPI 3.1 (which members each event has).
"""

import hashlib
from typing import Final

import orjson

from .catalogue import events
from .envelope import Envelope
from .identity import epoch_ms, values_at

_default: Final = ("engagement_id", "event_ts")
"""The parts of an unknown event."""


def natural_key(envelope: Envelope) -> tuple[str, ...]:
    """Return account, event, and the parts of this event; a missing part is "".

    Times are epoch milliseconds in any notation; several values are a JSON array. The key may hold
    a telephone number: it is for comparisons, not for logs.
    """
    kind = events.get(envelope.event)
    parts = kind.natural_key if kind else _default
    return (envelope.account_id, envelope.event, *(_part(envelope, part) for part in parts))


def _part(envelope: Envelope, part: str) -> str:
    hashed = part.removeprefix("sha256:")
    text = next(filter(None, (_text(envelope, path) for path in hashed.split("|"))), "")
    return hashlib.sha256(text.encode()).hexdigest() if text and hashed != part else text


def _text(envelope: Envelope, path: str) -> str:
    if path == "event_ts":
        return str(envelope.event_ts_ms)
    values = [_plain(path, value) for value in values_at(envelope.entity, path)]
    if "[]" in path:
        return orjson.dumps(sorted(values)).decode() if values else ""
    return values[0] if values else ""


def _plain(path: str, value: object) -> str:
    """Return a text unchanged, a time as epoch milliseconds, any other value as JSON."""
    if not isinstance(value, str):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    moment_ms = epoch_ms(value) if path.endswith(("_time", "_time_ms")) else None
    return value if moment_ms is None else str(moment_ms)
