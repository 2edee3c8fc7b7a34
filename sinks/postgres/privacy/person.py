"""Pure: what rows and documents hold about one person, and what remains after erasure.

A random token replaces a value that identifies the person (a number, an e-mail address, an id), the
same one everywhere. So keys stay keys and counts stay right while nobody can be recognised. All
other data of the person is removed. Rows and JSON objects follow the same rule:

    consumer  an object with one of the values is about the consumer, and so is all of an engagement
        that the consumer took part in: names, numbers, texts, files, links. Data of users and of
        the company's own lines stays.
    user      an object that names the user by id loses the name, address and number next to that
        id; where the id is ``user_id``, also those without a prefix, there and in inner objects.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast

from schemas.envelope import JsonObject
from sinks.postgres.model.tables import Personal, Table
from sinks.postgres.privacy.classes import classes_of, entity_classes, holds_entities, normal

Kind = Literal["consumer", "user"]

identifying: Final[Mapping[Kind, frozenset[Personal | None]]] = {
    "consumer": frozenset({"phone", "email", "pseudonymous_id"}),
    "user": frozenset({"user_ref", "pseudonymous_id"}),
}
"""Classes whose values identify a person."""

_of_users: Final = re.compile(r"(.*_)?(user|supervisor|owner|agent)_(display_name|name|email)")
_own: Final = frozenset(
    {
        "display_name",
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "country_iso_code",
        "region_name",
        "external_launch_url",
    }
)
"""Members without a prefix that describe the user whom ``user_id`` next to or above them names."""

_named_by: Final = frozenset({"user_id", "participant_id"})
_siblings: Final = ("display_name", "name", "email", "phone_number")
_ids_of_consumers: Final = ("consumer_id", "attendee_id")

_Member = tuple[str, Personal | None, object]


@dataclass(frozen=True, slots=True)
class Person:
    """Tokens by the values that identify the person, in their normal form."""

    kind: Kind
    tokens: Mapping[str, str]

    def token(self, class_: Personal | None, value: object) -> str | None:
        """Return the replacement of a value; None where it is not the person's."""
        if class_ not in identifying[self.kind] or isinstance(value, bool):
            return None
        return self.tokens.get(normal(class_, str(value))) if isinstance(value, str | int) else None


class _Verdict(NamedTuple):
    """The changes of an object: replaced members, removed members, and its inner objects."""

    tokens: Mapping[str, str]
    removed: frozenset[str]
    inner: bool


def erased_document(document: object, person: Person, *, about: bool) -> object:
    """Return a JSON document without the person, the same object where nothing changes.

    ``about`` says that all of it is about the person, e.g. as part of an engagement.
    """
    if isinstance(document, dict):
        return _erased_object(cast("JsonObject", document), person, about=about)
    if isinstance(document, list):
        items = [erased_document(item, person, about=about) for item in document]
        unchanged = all(new is old for new, old in zip(items, document, strict=True))
        return document if unchanged else items
    return document


def erased_cells(
    table: Table, row: Mapping[str, object], person: Person, *, about: bool
) -> dict[str, object]:
    """Return the changed cells of a row; None removes a value.

    ``row`` holds the cells by column, documents parsed, arrays as lists.
    """
    changes: dict[str, object] = {}
    members: list[_Member] = []
    keyed = any(
        person.token(column.personal, row.get(column.name))
        for column in table.columns
        if column.name in table.key
    )
    for column in table.columns:
        value = row.get(column.name)
        if column.personal == "document":
            new = erased_document(value, person, about=about or keyed)
            if new is not value:
                changes[column.name] = new
        elif column.personal is not None and value is not None:
            members.append((column.name, column.personal, value))
    return changes | _erased_members(table, members, person, about=about)


def _erased_members(
    table: Table, members: list[_Member], person: Person, *, about: bool
) -> dict[str, object]:
    if person.kind == "consumer":
        if table.key[1] == "user_id":
            return {}
        keyed = any(
            name in table.key and class_ in identifying["consumer"] for name, class_, _ in members
        )
        about = about and not keyed  # each person has a row of its own
    verdict = _verdict(members, person, about=about)
    changes: dict[str, object] = {}
    for name, class_, value in members:
        if isinstance(value, list):
            new = _erased_items(value, class_, person, removed=name in verdict.removed)
            if new is not value:
                changes[name] = new
        elif name in verdict.tokens:
            changes[name] = verdict.tokens[name]
        elif name in verdict.removed and name not in table.key:
            changes[name] = None
    return changes


def erased_raw(row: Mapping[str, object], person: Person, *, about: bool) -> dict[str, object]:
    """Return the changed cells of a raw event; any change removes the verbatim body."""
    changes = {
        name: new
        for name in ("payload", "enrichment")
        if (new := erased_document(row[name], person, about=about)) is not row[name]
    }
    for name, separator in (("subject", "/"), ("partition_key", ":")):
        value = row[name]
        if isinstance(value, str):
            head, _, entity_id = value.partition(separator)
            token = person.token("user_ref", entity_id)
            if token:
                changes[name] = f"{head}{separator}{token}"
            elif changes and person.kind == "consumer" and _names_a_consumer(row):
                changes[name] = None
    if changes and row["body"] is not None:
        changes["body"] = None
    return changes


def sibling_ids(document: object, person: Person) -> Iterator[str]:
    """Yield the ids of consumers in objects that hold a value of the person."""
    if isinstance(document, list):
        for item in document:
            yield from sibling_ids(item, person)
    elif isinstance(document, dict):
        members = list(classes_of(cast("JsonObject", document)))
        if any(person.token(class_, value) for _, class_, value in members):
            ids = (document.get(name) for name in _ids_of_consumers)
            yield from (each for each in ids if isinstance(each, str) and each)
        for _, _, value in members:
            yield from sibling_ids(value, person)


def _names_a_consumer(row: Mapping[str, object]) -> bool:
    return str(row["subject"]).startswith("consumer/")


def _verdict(members: Iterable[_Member], person: Person, *, about: bool) -> _Verdict:
    members = list(members)
    tokens = {
        name: token for name, class_, value in members if (token := person.token(class_, value))
    }
    if person.kind == "consumer":
        listed = any(
            person.token(class_, item)
            for _, class_, value in members
            if isinstance(value, list)
            for item in value
        )
        about = about or bool(tokens) or listed
        users = any(name == "user_id" for name, _, _ in members)
        removed = frozenset(
            name
            for name, class_, _ in members
            if about and class_ and not _stays(name, class_, users=users)
        )
        return _Verdict(tokens, removed, about)
    names_a_person = any(name in _named_by for name, _, _ in members)
    about = bool(tokens.keys() & _named_by) or (about and not names_a_person)
    siblings = {f"{stem}_{what}" for name in tokens for stem in _stems(name) for what in _siblings}
    removed = frozenset(
        name
        for name, class_, _ in members
        if class_ and (name in siblings or (about and name in _own))
    )
    return _Verdict(tokens, removed, about)


def _stays(name: str, class_: Personal, *, users: bool) -> bool:
    """Return whether a member says nothing about the consumers of an engagement."""
    return (
        class_ in {"org_phone", "user_ref"}
        or bool(_of_users.fullmatch(name))
        or (users and name in _own)
    )


def _stems(name: str) -> Iterator[str]:
    stem = name.removesuffix("_id")
    yield stem
    if stem.endswith("_user"):
        yield stem.removesuffix("_user")


def _erased_object(entity: JsonObject, person: Person, *, about: bool) -> object:
    members = list(classes_of(entity))
    verdict = _verdict(members, person, about=about)
    erased: dict[str, object] = {}
    for name, class_, value in members:
        if name in verdict.tokens:
            erased[name] = verdict.tokens[name]
        elif name == "users" and isinstance(value, dict):
            users = cast("JsonObject", value)
            erased[name] = _erased_by_id(users, "user_ref", person, about=verdict.inner)
        elif isinstance(value, dict) and holds_entities(entity, name):
            kinds = cast("JsonObject", value)
            erased[name] = _erased_entities(kinds, person, about=verdict.inner)
        elif isinstance(value, list) and any(not isinstance(item, dict) for item in value):
            erased[name] = _erased_items(value, class_, person, removed=name in verdict.removed)
        elif isinstance(value, dict | list):
            erased[name] = erased_document(value, person, about=verdict.inner)
        elif name not in verdict.removed or value is None:
            erased[name] = value
    unchanged = erased.keys() == entity.keys() and all(
        erased[name] is entity[name] for name in erased
    )
    return entity if unchanged else erased


def _erased_entities(kinds: JsonObject, person: Person, *, about: bool) -> object:
    erased = {
        kind: _erased_by_id(
            cast("JsonObject", by_id), entity_classes.get(kind), person, about=about
        )
        if isinstance(by_id, dict)
        else by_id
        for kind, by_id in kinds.items()
    }
    unchanged = all(erased[kind] is by_id for kind, by_id in kinds.items())
    return kinds if unchanged else erased


def _erased_by_id(
    entities: JsonObject, class_: Personal | None, person: Person, *, about: bool
) -> object:
    erased: dict[str, object] = {}
    for entity_id, entity in entities.items():
        token = person.token(class_, entity_id)
        if token and isinstance(entity, dict):
            erased[token] = _erased_under_id(entity_id, cast("JsonObject", entity), person)
        else:
            erased[token or entity_id] = erased_document(entity, person, about=about)
    unchanged = erased.keys() == entities.keys() and all(
        erased[name] is entities[name] for name in erased
    )
    return entities if unchanged else erased


def _erased_under_id(user_id: str, user: JsonObject, person: Person) -> object:
    """Return a user without the person, whose id may stand above the object only."""
    erased = _erased_object({"user_id": user_id, **user}, person, about=False)
    known = cast("JsonObject", erased)
    return {name: known[name] for name in user if name in known}


def _erased_items(
    items: list[object], class_: Personal | None, person: Person, *, removed: bool
) -> list[object]:
    tokens = [person.token(class_, item) for item in items]
    if removed:
        erased: list[object] = [token for token in tokens if token]
    else:
        erased = [token or item for token, item in zip(tokens, items, strict=True)]
    return items if erased == items else erased
