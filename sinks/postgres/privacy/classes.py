"""Pure: which members of JSON hold personal data, by name, and how values are compared.

Names follow one convention in all events and REST documents, so the name decides at any depth.
Three members need their context: ``id`` next to ``entity`` (of a reference, or of a failed lookup),
an object ``users``, whose names are ids, and the enrichment's ``entities``, which has such an
object for each kind.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, cast

from schemas.envelope import JsonObject
from sinks.postgres.model.tables import Personal

Change = Callable[[Personal, str], str | None]
"""Returns the replacement of a personal text; None removes the member."""

_rules: Final[tuple[tuple[Personal, re.Pattern[str]], ...]] = (
    ("org_phone", re.compile(r"flow_number|contact_center_number|entry_number|(.*_)?caller_ids")),
    ("account_number", re.compile(r"(.*_)?account_number")),
    ("phone", re.compile(r"(.*_)?(numbers?|phones?|caller_id)|from|to|invitee")),
    ("email", re.compile(r"(.*_)?emails?(_address(es)?)?")),
    (
        "person_name",
        re.compile(
            r"(.*_)?(display_name|first_name|last_name"
            r"|(owner|user|agent|consumer|contact|customer|participant)_name)|operator"
        ),
    ),
    ("person_attr", re.compile(r"profile_avatar.*|job_title|company")),
    ("pseudonymous_id", re.compile(r"(.*_)?(consumer|contact|attendee|participant)_ids?")),
    ("pseudonymous_id", re.compile(r"participant_user_id")),
    ("user_ref", re.compile(r"(.*_)?(user|owner|agent|supervisor|operator)_ids?")),
    ("user_ref", re.compile(r"(.*_)?(modified|created|updated)_by")),
    (
        "free_text",
        re.compile(r"(event_)?content|note|note_content|message_text|text|comment|answer"),
    ),
    ("free_text", re.compile(r"email_subject|(custom_field|variable)_value")),
    ("free_text_low", re.compile(r"reason|reason_details|error_detail")),
    ("dtmf", re.compile(r"dtmf_input")),
    ("file_name", re.compile(r"(.*_)?(file|attachment)_name")),
    ("url", re.compile(r"(.*_)?url")),
    ("location", re.compile(r"(.*_)?country(_iso_code|_name)?|region_name|location")),
    ("network", re.compile(r"(.*_)?(ip|ip_address(es)?|mac_address)")),
)
"""The first that matches the whole name decides. The company's own opening hours, queues, flows and
media are not personal."""

entity_classes: Final[dict[str, Personal]] = {
    "user": "user_ref",
    "consumer": "pseudonymous_id",
    "contact": "pseudonymous_id",
    "address_book_contact": "pseudonymous_id",
}
"""Kinds of entities that are people, with the class of their ids."""

addresses: Final = frozenset[Personal | None]({"phone", "org_phone", "email"})
"""Classes whose values have several notations."""

_number: Final = re.compile(r"[+0-9 ()./-]+")
_not_digits: Final = re.compile(r"[^0-9]")
_digits_enough: Final = 3
_of_what_is_missing: Final = {"entity", "id", "reason"}
"""Members of the enrichment's report of failed lookups; its reasons quote nobody."""


@cache
def class_of(name: str) -> Personal | None:
    """Return the class of personal data in a member of this name; None where it holds none."""
    return next((class_ for class_, rule in _rules if rule.fullmatch(name)), None)


def classes_of(entity: JsonObject) -> Iterator[tuple[str, Personal | None, object]]:
    """Yield the members of an object: name, class, value."""
    named = entity_classes.get(str(entity["entity"])) if "entity" in entity else None
    missed = entity.keys() == _of_what_is_missing
    for name, value in entity.items():
        if name == "id":
            yield name, named, value
        else:
            yield name, None if missed else class_of(name), value


def holds_entities(entity: JsonObject, name: str) -> bool:
    """Return whether a member is the enrichment's: for each kind an object whose names are ids."""
    return name == "entities" and "enriched_at" in entity


def normal(class_: Personal | None, value: str) -> str:
    """Return a value in the form in which values are compared.

    Numbers: their digits, without separators and international prefix. E-mail addresses: in lower
    case. `zcc.normal_address` in the database does the same.
    """
    if class_ not in addresses:
        return value
    if _number.fullmatch(value):
        digits = _not_digits.sub("", value).removeprefix("00")
        if len(digits) >= _digits_enough:
            return digits
    return value.strip(" ").lower()


def rewritten(node: object, change: Change, class_: Personal | None = None) -> object:
    """Return a document with its personal texts, and personal numbers, changed.

    A document without any is returned unchanged, the same object. ``class_`` is that of the member
    that holds ``node``; the items of an array have it too.
    """
    if isinstance(node, dict):
        return _rewritten_members(cast("JsonObject", node), change)
    if isinstance(node, list):
        items = [rewritten(item, change, class_) for item in node]
        unchanged = all(new is old for new, old in zip(items, node, strict=True))
        return node if unchanged else [item for item in items if item is not None]
    if class_ is None or not isinstance(node, str | int) or isinstance(node, bool) or node == "":
        return node
    text = str(node)
    new = change(class_, text)
    return node if new == text else new


def _rewritten_members(entity: JsonObject, change: Change) -> object:
    members: dict[str, object] = {}
    changed = False
    for name, class_, value in classes_of(entity):
        if name == "users" and isinstance(value, dict):
            new: object = _rewritten_by_id(cast("JsonObject", value), change, "user_ref")
        elif isinstance(value, dict) and holds_entities(entity, name):
            new = _rewritten_entities(cast("JsonObject", value), change)
        else:
            new = rewritten(value, change, class_)
        changed |= new is not value
        if new is not None or value is None:
            members[name] = new
    return members if changed else entity


def _rewritten_entities(kinds: JsonObject, change: Change) -> object:
    new_kinds = {
        kind: _rewritten_by_id(cast("JsonObject", by_id), change, entity_classes.get(kind))
        if isinstance(by_id, dict)
        else by_id
        for kind, by_id in kinds.items()
    }
    unchanged = all(new_kinds[kind] is by_id for kind, by_id in kinds.items())
    return kinds if unchanged else new_kinds


def _rewritten_by_id(entities: JsonObject, change: Change, class_: Personal | None) -> object:
    """Return the entities under ids of this class changed; None where the ids are not personal."""
    new_entities = {}
    changed = False
    for entity_id, entity in entities.items():
        new_id, new = rewritten(entity_id, change, class_), rewritten(entity, change)
        changed |= new_id is not entity_id or new is not entity
        if isinstance(new_id, str):
            new_entities[new_id] = new
    return new_entities if changed else entities
