"""Pure: replaces or removes the personal data of messages, before they become rows.

All rows of an event are made from the result, so no column and no document is missed. A pseudonym
is a keyed hash: a value has the same one everywhere, so that rows can be joined and counted, and
without the key nobody can test values.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never, cast

import orjson

from schemas.envelope import JsonObject, envelope_of
from sinks.postgres.model.content import RecordContent
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.outcomes import ParsedOutcome
from sinks.postgres.model.references import ParsedReference
from sinks.postgres.model.registry import Message
from sinks.postgres.model.tables import Personal
from sinks.postgres.privacy.classes import entity_classes, normal, rewritten

Redaction = Literal["keep", "pseudonymise", "drop"]

marker: Final = "pseudonym-"
"""The prefix of every pseudonym."""

_digest_digits: Final = 32  # 128 bits


def pseudonym(class_: Personal, value: str, *, key: bytes) -> str:
    """Return the pseudonym of a value; notations of the same value share it."""
    digest = hmac.digest(key, normal(class_, value).encode(), "sha256").hex()
    return f"{marker}{digest[:_digest_digits]}"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The policy for personal data, by class; a class without one is kept.

    ``key`` is needed where a class is pseudonymised.
    """

    treatments: Mapping[Personal, Redaction]
    key: bytes

    def redacted(self, messages: Iterable[Message]) -> list[Message]:
        """Return the messages in their storable form.

        The snapshot of a person whose id is dropped is left out, because it would have no row.
        """
        if all(redaction == "keep" for redaction in self.treatments.values()):
            return list(messages)
        return [each for each in map(self._message, messages) if each is not None]

    def _message(self, message: Message) -> Message | None:
        match message:
            case ParsedEvent():
                return self._event(message)
            case ParsedReference():
                return self._reference(message)
            case ParsedOutcome():
                return self._outcome(message)
            case _:
                assert_never(message)

    def _event(self, event: ParsedEvent) -> ParsedEvent:
        changes = _Changes(self)
        parsed = cast("JsonObject", rewritten(event.content.parsed, changes))
        if parsed is event.content.parsed:
            return event
        return event._replace(
            content=_content(event.content, parsed),
            object=envelope_of(parsed).entity,
            subject=changes.within(event.subject, "/"),
            partition_key=changes.within(event.partition_key, f"{event.account_id}:"),
        )

    def _outcome(self, snapshot: ParsedOutcome) -> ParsedOutcome:
        outcome = rewritten(snapshot.outcome, _Changes(self))
        return snapshot._replace(outcome=cast("JsonObject | None", outcome))

    def _reference(self, reference: ParsedReference) -> ParsedReference | None:
        changes = _Changes(self)
        own = entity_classes.get(reference.entity)
        entity_id = rewritten(reference.id, changes, own)
        if not isinstance(entity_id, str):
            return None
        state = rewritten(reference.state, changes)
        return reference._replace(id=entity_id, state=cast("JsonObject | None", state))


@dataclass(frozen=True, slots=True)
class _Changes:
    """Redacts values, and remembers the results."""

    rules: PersonalData
    done: dict[str, str | None] = field(default_factory=dict)

    def __call__(self, class_: Personal, value: str) -> str | None:
        redaction = self.rules.treatments.get(class_, "keep")
        if redaction == "keep":
            return value
        new = pseudonym(class_, value, key=self.rules.key) if redaction != "drop" else None
        self.done[value] = new
        return new

    def within(self, name: str | None, before: str) -> str | None:
        """Return a name such as ``user/id`` with its redacted id; None where the id was removed."""
        if name is None:
            return None
        head, separator, entity_id = name.partition(before)
        new = self.done.get(entity_id, entity_id)
        return None if new is None else f"{head}{separator}{new}"


def _content(content: RecordContent, parsed: JsonObject) -> RecordContent:
    """Return the content encoded again; the verbatim body would hold the replaced values."""
    body = {name: value for name, value in parsed.items() if name != "enrichment"}
    enrichment = content.enrichment and orjson.dumps(parsed["enrichment"])
    return RecordContent(parsed, orjson.dumps(body), enrichment, None)
