"""Pure: the identity of an event: its id, time, subject and partition key.

Zoom gives an event no id, sends it again after a failure, and may send it twice without one; such a
duplicate can differ in its download links. So ``event_id`` is the SHA-256 of a canonical form of
the whole payload without those links, computed before anything is redacted:

    ["zcc1", account_id, event, event_ts, object]                   a payload of these alone
    ["zcc1", account_id, event, event_ts, object, extra_members]    with the other members

as JSON with sorted names, without spaces, in UTF-8; ``object`` is {} where there is none.
``event_ts`` is part of it: two equal actions at two times are two events. For a text that only a
tolerant parser reads, the form of `schemas.tolerant_json.exact` counts.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson

from .catalogue import events
from .envelope import Envelope, JsonObject, latest_event_ts_ms
from .tolerant_json import written

volatile_members: Final = frozenset(
    {"download_url", "transcript_url", "asset_item_file_url", "download_token"}
)
"""Members that differ between two deliveries of one event, at any depth."""

entity_names: Final = {
    "engagement_id": "engagement",
    "user_id": "user",
    "users[].user_id": "user",
    "cc_queue_id": "queue",
    "recording_id": "recording",
    "team_id": "team",
    "business_hour_id": "business_hours",
    "closure_set_id": "closure_set",
    "asset_id": "asset",
    "message_id": "message",
    "sms.consumer_number": "consumer",
}
"""Key path to the word that ``ce_subject`` uses for it."""

personal_paths: Final = frozenset({"sms.consumer_number"})
"""Key paths whose value is always replaced by a keyed hash."""

_volatile_name: Final = re.compile(f'"(?:{"|".join(sorted(volatile_members))})"'.encode())
_default_key: Final = ("engagement_id",)

_epoch: Final = datetime.fromtimestamp(0, UTC)


def event_id(envelope: Envelope) -> str:
    """Return the deterministic id of an event, 64 hexadecimal digits.

    For a repaired body the envelope is that of the exact form (`schemas.envelope.Json`).
    """
    canonical = _canonical(envelope, envelope.object, envelope.extra_members)
    if _volatile_name.search(canonical):  # else the copy would be the same
        canonical = _canonical(envelope, _stable(envelope.object), _stable(envelope.extra_members))
    return hashlib.sha256(canonical).hexdigest()


def occurred_at_ms(envelope: Envelope) -> int:
    """Return when it happened, epoch milliseconds: the event's own time, else ``event_ts``."""
    kind = events.get(envelope.event)
    text = envelope.entity.get(kind.occurred_at) if kind and kind.occurred_at else None
    moment_ms = epoch_ms(text) if isinstance(text, str) else None
    return envelope.event_ts_ms if moment_ms is None else moment_ms


def epoch_ms(text: str) -> int | None:
    """Read a time as epoch milliseconds, in UTC where it names no zone.

    Returns:
        None where it is not a time, or one before 1970 or after `latest_event_ts_ms`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elapsed_ms = round((moment - _epoch).total_seconds() * 1000)
    return elapsed_ms if 0 <= elapsed_ms <= latest_event_ts_ms else None


class EventAddress(NamedTuple):
    """The address of an event: ``entity/id`` for people, ``account:id`` for partitions."""

    subject: str
    partition_key: str


def event_address(envelope: Envelope, *, pseudonym_key: bytes) -> EventAddress:
    """Return subject and partition key; those of the account where the event names no entity.

    Both appear in logs and tools, so a phone number becomes a hash under ``pseudonym_key``.
    """
    account_id = envelope.account_id
    path, value = _entity(envelope)
    if value is None:
        return EventAddress(f"account/{account_id}", account_id)
    public = _public(path, value, pseudonym_key)
    return EventAddress(f"{entity_names[path]}/{public}", f"{account_id}:{public}")


def values_at(node: object, path: str) -> Iterator[object]:
    """Yield the values at a path such as ``sms.number`` or ``users[].user_id``, without nulls."""
    step, _, rest = path.partition(".")
    name = step.removesuffix("[]")
    child = node.get(name) if isinstance(node, dict) else None
    if name == step:
        children: list[object] = [child]
    else:
        children = child if isinstance(child, list) else []
    for value in children:
        if value is not None:
            yield from values_at(value, rest) if rest else (value,)


def _entity(envelope: Envelope) -> tuple[str, str | None]:
    kind = events.get(envelope.event)
    for members in (envelope.object, envelope.extra_members):
        for path in kind.key if members and kind else _default_key if members else ():
            # Most paths are a single name, and this runs for each webhook.
            values = (members.get(path),) if path.isidentifier() else values_at(members, path)
            for value in values:
                if isinstance(value, str) and value:
                    return path, value
    return "", None


def _canonical(envelope: Envelope, stable: JsonObject, extra_members: JsonObject) -> bytes:
    identity = ["zcc1", envelope.account_id, envelope.event, envelope.event_ts_ms, stable]
    if extra_members:
        identity.append(extra_members)
    try:
        return orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # half a surrogate pair
        return written(identity)


def _public(path: str, value: str, pseudonym_key: bytes) -> str:
    if path not in personal_paths:
        return value
    return hmac.digest(pseudonym_key, value.encode(), "sha256").hex()[:32]


def _stable(node: JsonObject) -> dict[str, object]:
    return {
        name: _stable_value(value) for name, value in node.items() if name not in volatile_members
    }


def _stable_value(value: object) -> object:
    if isinstance(value, dict):
        return _stable(value)
    if isinstance(value, list):
        return [_stable_value(item) for item in value]
    return value
