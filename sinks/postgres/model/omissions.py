"""Pure: parts of a message that the model cannot hold, because an id is too long for it.

The raw event holds them. An id of Zoom's has 22 characters, so the lengths of its texts clear most
events; only the others are examined.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple, assert_never, cast

from runtime.values import Delivery
from schemas.envelope import JsonObject
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.json_fields import longest_id, text
from sinks.postgres.model.outcomes import ParsedOutcome
from sinks.postgres.model.projection import longest_key
from sinks.postgres.model.references import ParsedReference
from sinks.postgres.model.registry import Message, column_updates

What = Literal["engagement", "id", "row"]

omission_kinds: Final[tuple[What, ...]] = ("engagement", "id", "row")

_suspicious: Final = 128
"""Characters. Only with such a text can a key of three ids and other texts be too long."""


class Omission(NamedTuple):
    """A part of one delivery that the model does not hold."""

    what: What
    delivery: Delivery


def omissions_of(messages: Iterable[Message]) -> list[Omission]:
    """Return the omitted parts, in order."""
    return [
        Omission(what, each.delivery)
        for each in messages
        if len(each.account_id) > _suspicious or _has_long_text(_content(each))
        for what in _of(each)
    ]


def _content(message: Message) -> Iterable[object]:
    match message:
        case ParsedEvent():
            return message.object.values()
        case ParsedReference():
            return (message.id,)
        case ParsedOutcome():
            return (message.engagement_id,)
        case _:
            assert_never(message)


def _has_long_text(values: Iterable[object]) -> bool:
    for value in values:
        if isinstance(value, str):
            if len(value) > _suspicious:
                return True
        elif isinstance(value, dict):
            if _has_long_text(value.values()):
                return True
        elif isinstance(value, list) and _has_long_text(value):
            return True
    return False


def _of(message: Message) -> Iterator[What]:
    for projection, key, _, _ in column_updates(message):
        if sum(map(len, projection.key_texts(key))) > longest_key:
            yield "row"
    if not isinstance(message, ParsedEvent):
        return
    names_engagement = text(message.object, "engagement_id") is not None
    if names_engagement and message.engagement_id is None:
        yield "engagement"
    for name in _long_ids(message.object):
        if name != "engagement_id":
            yield "id"


def _long_ids(value: object) -> Iterator[str]:
    """Yield the names of members, at any depth, that are overlong ids."""
    if isinstance(value, list):
        for item in value:
            yield from _long_ids(item)
    elif isinstance(value, dict):
        for name, member in cast("JsonObject", value).items():
            if isinstance(member, str):
                if name.endswith("id") and len(member) > longest_id:
                    yield name
            else:
                yield from _long_ids(member)
