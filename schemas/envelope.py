"""Pure: reads the envelope of webhooks: event, event_ts, account, object.

A retry would not repair a signed body that cannot be read. So the caller puts it on the quarantine
topic under the reason of the `UnreadableError`.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from . import tolerant_json
from .reasons import QuarantineReason

latest_event_ts_ms: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z: the last time that both Python and Postgres can hold."""

deepest_nesting: Final = 200
"""orjson reads 1,024 levels but writes 254; identity must be able to write every read body."""

JsonObject = Mapping[str, object]

_nothing: Final[JsonObject] = {}
_members_of_payload: Final = 2
"""``account_id`` and ``object``, the only members in the contract."""


class UnreadableError(ValueError):
    """The body is signed by Zoom but is not an event; ``reason`` holds nothing of the body."""

    def __init__(self, reason: QuarantineReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Json(NamedTuple):
    """A parsed text.

    ``value`` is acceptable to every parser and store. ``exact`` is the original value, where the
    text is valid but a strict parser refuses it, else None.
    """

    value: object
    exact: object | None = None


class Envelope(NamedTuple):
    """A webhook body, read once.

    ``object`` is the payload's member of this name, empty where it has none. ``extra_members``
    are the payload's other members, except the account.
    """

    account_id: str
    event: str
    event_ts_ms: int
    object: JsonObject
    extra_members: JsonObject = _nothing

    @property
    def entity(self) -> JsonObject:
        """The subject of the event: ``object``, else the members in its place."""
        return self.object or self.extra_members


def read_envelope(body: bytes) -> Envelope:
    """Parse a body.

    Raises:
        UnreadableError: not JSON, too deep, or without the members of an envelope.
    """
    return envelope_of(read_json(body))


def read_json(body: bytes) -> object:
    """Parse JSON of bounded depth, repaired where it is valid and a strict parser refuses it.

    Raises:
        UnreadableError: not JSON as RFC 8259 defines it, or deeper than `deepest_nesting`.
    """
    return parse_json(body).value


def parse_json(body: bytes) -> Json:
    """Parse JSON of bounded depth, and return the original value where it was repaired.

    Raises:
        UnreadableError: not JSON as RFC 8259 defines it, or deeper than `deepest_nesting`.
    """
    try:
        parsed = Json(orjson.loads(body))
    except orjson.JSONDecodeError:
        parsed = _tolerant(body)
    if _brackets(body) > deepest_nesting and _deeper_than(parsed.value, deepest_nesting):
        raise UnreadableError(QuarantineReason.TOO_DEEP)
    return parsed


def _tolerant(body: bytes) -> Json:
    try:
        exact = tolerant_json.exact(body)
        return Json(tolerant_json.repaired(exact), exact)
    except RecursionError:
        raise UnreadableError(QuarantineReason.TOO_DEEP) from None
    except ValueError:
        raise UnreadableError(QuarantineReason.NOT_JSON) from None


def envelope_of(parsed: object) -> Envelope:
    """Return the envelope of a parsed body.

    Raises:
        UnreadableError: a member is missing or of another type.
    """
    if not isinstance(parsed, dict):
        raise UnreadableError(QuarantineReason.NOT_AN_ENVELOPE)
    event, event_ts, payload = parsed.get("event"), parsed.get("event_ts"), parsed.get("payload")
    if not isinstance(event, str) or not event or not isinstance(payload, dict):
        raise UnreadableError(QuarantineReason.NOT_AN_ENVELOPE)
    if type(event_ts) is not int or not 0 <= event_ts <= latest_event_ts_ms:
        raise UnreadableError(QuarantineReason.NO_EVENT_TIME)
    account_id, entity = payload.get("account_id"), payload.get("object", {})
    if not isinstance(account_id, str) or not account_id or not isinstance(entity, dict):
        raise UnreadableError(QuarantineReason.NOT_AN_ENVELOPE)
    return Envelope(account_id, event, event_ts, entity, _extra_members(payload))


def _extra_members(payload: JsonObject) -> JsonObject:
    if len(payload) <= _members_of_payload and "object" in payload:
        return _nothing
    return {name: value for name, value in payload.items() if name not in ("account_id", "object")}


def _brackets(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict | list)]
    if isinstance(value, list):
        return [child for child in value if isinstance(child, dict | list)]
    return []
