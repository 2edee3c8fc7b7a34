"""Completes the identifiers of a person to be erased, and finds the rows to examine.

First the identifying values: the given number leads to a consumer's id, and that to the numbers and
addresses that occurred with this id and no other one. Then all engagements that the consumer took
part in.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier

from runtime.errors import ConfigurationError
from sinks.postgres.model.rows import raw_table, tables
from sinks.postgres.model.tables import Column, Personal, Table, schema
from sinks.postgres.privacy.classes import normal
from sinks.postgres.privacy.person import Kind, Person, erased_document, identifying, sibling_ids
from sinks.postgres.privacy.pseudonyms import pseudonym

_class_of_ids: Final[Mapping[Kind, Personal]] = {
    "consumer": "pseudonymous_id",
    "user": "user_ref",
}
_joint_columns: Final = (
    ("engagement_participant", "participant_id", ("phone_number",)),
    ("inbox_message", "consumer_id", ("consumer_number",)),
    ("scheduled_callback", "attendee_id", ("phone_number", "email")),
)
"""Tables with one consumer per row: id and addresses."""

_raw_engagement: Final = SQL("payload #>> '{payload,object,engagement_id}'")

Engagements = frozenset[tuple[str, str]]
"""Account and id of each."""


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """The person to erase: a user by ``ids``, or a consumer by any of these."""

    kind: Kind
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def values(self) -> Iterator[tuple[Personal, str]]:
        """Yield the given values, with their classes."""
        yield from ((_class_of_ids[self.kind], each) for each in self.ids)
        yield from (("phone", each) for each in self.numbers)
        yield from (("email", each) for each in self.emails)

    def counted(self) -> Mapping[str, object]:
        """Return the part that may be logged."""
        counts = {"ids": self.ids, "numbers": self.numbers, "emails": self.emails}
        return {"kind": self.kind} | {name: len(each) for name, each in counts.items() if each}


class Search(NamedTuple):
    """The person, and the search for rows about it."""

    person: Person
    engagements: Engagements

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the conditions."""
        engagements = list(self.engagements)
        values = list(self.person.tokens)
        return {
            "values": values,
            "pattern": "|".join(map(_pattern, values)),
            "accounts": [account_id for account_id, _ in engagements],
            "engagements": [engagement_id for _, engagement_id in engagements],
        }

    def about(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row belongs to one of the engagements."""
        return (row.get("account_id"), row.get("engagement_id")) in self.engagements


def refuse_own_numbers(connection: Connection[Any], request: ErasureRequest) -> None:
    """Refuse numbers that occur in the events of all consumers.

    Raises:
        ConfigurationError: one of them is a number of the contact center itself.
    """
    numbers = [normal("phone", number) for number in request.numbers]
    for table in tables:
        for column in table.columns:
            if column.personal == "org_phone" and numbers:
                owners = connection.execute(
                    SQL("select from {} where {} = any(%s) limit 1").format(
                        qualified(table), _normal(column)
                    ),
                    (numbers,),
                )
                if owners.fetchone() is not None:
                    raise ConfigurationError(
                        "consumer-number: this is a number of the contact center itself "
                        f"({table.name}.{column.name}), which is in the events of all consumers"
                    )


def completed(
    connection: Connection[Any], request: ErasureRequest, *, key: bytes, token: Callable[[], str]
) -> Search:
    """Complete a request; ``token`` makes a random text for each value."""
    tokens: dict[str, str] = {}

    def known(class_: Personal, value: str) -> None:
        own = normal(class_, value)
        tokens.setdefault(own, token())
        if key:
            tokens.setdefault(pseudonym(class_, value, key=key), tokens[own])

    for class_, value in request.values():
        known(class_, value)
    search = Search(Person(request.kind, tokens), frozenset())
    if request.kind == "user":
        for user_id in _other_ids(connection, search):
            known("user_ref", user_id)
        return search
    first = _events_of(connection, search)
    for consumer_id in (*first.ids, *_ids_of_addresses(connection, search)):
        known("pseudonymous_id", consumer_id)
    for class_, value in _addresses_of_ids(connection, list(tokens)):
        known(class_, value)
    engagements = first.engagements | _events_of(connection, search).engagements
    return search._replace(engagements=engagements | _engagements_of_ids(connection, search))


def _other_ids(connection: Connection[Any], search: Search) -> list[str]:
    rows = connection.execute(
        "select distinct cc_user_id from zcc.app_user "
        "where user_id = any(%(values)s) and cc_user_id is not null",
        search.parameters,
    )
    return [row["cc_user_id"] for row in rows]


class _Events(NamedTuple):
    ids: frozenset[str]
    engagements: Engagements


def _events_of(connection: Connection[Any], search: Search) -> _Events:
    """Return the findings in raw events that name the person."""
    ids: set[str] = set()
    engagements = set()
    query = SQL(
        "select account_id, payload, {} as engagement_id from zcc.raw_event "
        "where payload::text ~* %(pattern)s"
    ).format(_raw_engagement)
    with connection.cursor("events") as cursor:
        for row in cursor.execute(query, search.parameters):
            payload = row["payload"]
            if erased_document(payload, search.person, about=False) is not payload:
                ids.update(sibling_ids(payload, search.person))
                if row["engagement_id"]:
                    engagements.add((row["account_id"], row["engagement_id"]))
    return _Events(frozenset(ids), frozenset(engagements))


def _ids_of_addresses(connection: Connection[Any], search: Search) -> Iterator[str]:
    statement = SQL(
        "select distinct {id} as id from {table} "
        "where zcc.normal_address({address}) = any(%(values)s) and {id} is not null"
    )
    for _, query in _by_address_column(statement):
        yield from (row["id"] for row in connection.execute(query, search.parameters))


def _addresses_of_ids(
    connection: Connection[Any], values: Sequence[str]
) -> Iterator[tuple[Personal, str]]:
    """Yield addresses that occurred with these ids and with no other one."""
    statement = SQL(
        "select zcc.normal_address({address}) as address from {table} "
        "where {address} is not null group by 1 having bool_and({id} = any(%s))"
    )
    for class_, query in _by_address_column(statement):
        for row in connection.execute(query, (list(values),)):
            yield class_, row["address"]


def _by_address_column(statement: SQL) -> Iterator[tuple[Personal, Composed]]:
    """Yield the statement for each column of addresses, with the class of its addresses."""
    for table, id_column, addresses in _joint_columns:
        for address in addresses:
            query = statement.format(
                id=Identifier(id_column),
                table=Identifier(schema, table),
                address=Identifier(address),
            )
            yield "email" if address == "email" else "phone", query


def _engagements_of_ids(connection: Connection[Any], search: Search) -> Engagements:
    engagements: set[tuple[str, str]] = set()
    for table in tables:
        condition = _any(_by_value(table, search.person.kind))
        if condition and "engagement_id" in names_of(table):
            query = SQL(
                "select distinct account_id, engagement_id from {} "
                "where ({}) and engagement_id is not null"
            ).format(qualified(table), condition)
            rows = connection.execute(query, search.parameters)
            engagements.update((row["account_id"], row["engagement_id"]) for row in rows)
    return frozenset(engagements)


def candidate_rows(table: Table, kind: Kind) -> Composable | None:
    """Return the condition of rows to examine, for `Search.parameters`; None for no rows."""
    if not any(column.personal for column in table.columns):
        return None
    conditions = [*_by_value(table, kind), *_by_document(table)]
    if table is raw_table or "engagement_id" in names_of(table):
        engagement = _raw_engagement if table is raw_table else SQL("engagement_id")
        conditions.append(
            SQL(
                "(account_id, {}) in (select * from unnest(%(accounts)s::text[], "
                "%(engagements)s::text[]))"
            ).format(engagement)
        )
    return _any(conditions)


def _by_value(table: Table, kind: Kind) -> Iterator[Composable]:
    for column in table.columns:
        if column.personal in identifying[kind]:
            normal_form = _normal(column)
            if column.type == "text[]":
                yield SQL(
                    "exists (select from unnest({}) as item where {} = any(%(values)s))"
                ).format(Identifier(column.name), _normal(Column("item", "text", column.personal)))
            else:
                yield SQL("{} = any(%(values)s)").format(normal_form)


def _by_document(table: Table) -> Iterator[Composable]:
    for column in table.columns:
        if column.personal == "document" and column.type == "jsonb":
            yield SQL("{}::text ~* %(pattern)s").format(Identifier(column.name))


def _normal(column: Column) -> Composable:
    name = Identifier(column.name)
    if column.personal in {"phone", "org_phone", "email"}:
        return SQL("zcc.normal_address({})").format(name)
    return name


def _pattern(value: str) -> str:
    """Return a pattern that finds a value in a document's text, in any notation of a number."""
    if value.isdecimal() and value.isascii():
        return "[^0-9]{0,3}".join(value)
    return re.escape(orjson.dumps(value).decode()[1:-1])


def _any(conditions: Iterable[Composable]) -> Composable | None:
    alternatives = list(conditions)
    return SQL(" or ").join(alternatives) if alternatives else None


def qualified(table: Table) -> Identifier:
    """Return the full name of a table."""
    return Identifier(schema, table.name)


def names_of(table: Table) -> set[str]:
    """Return the names of the columns of a table."""
    return {column.name for column in table.columns}


def listed(names: Iterable[str]) -> Composable:
    """Return names as a list of columns."""
    return SQL(", ").join(Identifier(name) for name in names)
