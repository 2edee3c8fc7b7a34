"""Erases one person from all tables, in transactions of bounded size, while the sink runs.

Each table is searched for rows that may hold something of the person, and
`sinks.postgres.privacy.person` decides what changes in them. The search goes by the columns'
classes of personal data, so a new column needs no change here. An interrupted run has erased some
rows, and another run erases the rest.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier
from psycopg.types.json import Jsonb

from sinks.postgres.connection import command_connection
from sinks.postgres.model.rows import raw_table, tables
from sinks.postgres.model.tables import Table
from sinks.postgres.privacy.audit import Audit
from sinks.postgres.privacy.classes import normal
from sinks.postgres.privacy.person import erased_cells, erased_raw
from sinks.postgres.privacy.person_search import (
    ErasureRequest,
    Search,
    candidate_rows,
    completed,
    listed,
    qualified,
    refuse_own_numbers,
)

_batch_rows: Final = 500
_lock_timeout: Final = "10s"

_raw_columns: Final = ("payload", "enrichment", "body", "subject", "partition_key")


class Erased(NamedTuple):
    """The result: values that identify the person, engagements, rows by table."""

    values: int
    engagements: int
    rows: Mapping[str, int]


def erase(
    dsn: str, request: ErasureRequest, *, key: bytes, token: Callable[[], str], apply: bool
) -> Erased:
    """Find a person in all tables; with ``apply`` erase it and write an audit row.

    ``key`` is that of pseudonyms, empty without any; ``token`` makes a random text each time.

    Raises:
        TransientError: Postgres does not answer, or others hold the rows: run it again.
        ConfigurationError: the login or its rights do not suffice, or a number is the company's.
    """
    with _connected(dsn) as connection:
        refuse_own_numbers(connection, request)
        search = completed(connection, request, key=key, token=token)
        audit = _begin(connection, request, key) if apply else None
        counts = {}
        for table in tables:
            count = _erase_table(connection, table, search, audit)
            if count:
                counts[table.name] = count
        if audit:
            audit.end()
    return Erased(len(set(search.person.tokens.values())), len(search.engagements), counts)


def users_of_email(dsn: str, email: str) -> tuple[str, ...]:
    """Return the ids of users with an e-mail address.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with _connected(dsn) as connection:
        rows = connection.execute(
            "select distinct user_id from zcc.app_user where zcc.normal_address(user_email) = %s",
            (normal("email", email),),
        )
        return tuple(row["user_id"] for row in rows)


def _connected(dsn: str) -> AbstractContextManager[Connection[dict[str, Any]]]:
    return command_connection(dsn, "zcc erase", lock_timeout=_lock_timeout, row_factory=dict_row)


def _begin(connection: Connection[Any], request: ErasureRequest, key: bytes) -> Audit:
    values = sorted(f"{class_}:{normal(class_, value)}" for class_, value in request.values())
    digest = hmac.digest(key, "\n".join(values).encode(), "sha256").hex() if key else None
    return Audit.begin(connection, "erase", request.counted(), digest=digest)


def _erase_table(
    connection: Connection[dict[str, Any]], table: Table, search: Search, audit: Audit | None
) -> int:
    """Return the number of rows that change, or would."""
    keys = _candidates(connection, table, search)
    total = 0
    for start in range(0, len(keys), _batch_rows):
        count = 0
        for row in _rows(connection, table, keys[start : start + _batch_rows], lock=bool(audit)):
            changes = _changes(table, row, search)
            if changes:
                count += 1
                if audit:
                    _update(connection, table, row, changes)
        if audit and count:
            audit.count(table.name, count)
        connection.commit()
        total += count
    return total


def _changes(table: Table, row: Mapping[str, Any], search: Search) -> dict[str, object]:
    about = search.about(row)
    if table is raw_table:
        return erased_raw(row, search.person, about=about)
    return erased_cells(table, row, search.person, about=about)


def _candidates(
    connection: Connection[dict[str, Any]], table: Table, search: Search
) -> list[tuple[object, ...]]:
    """Return the keys of rows that may hold something; few, because they belong to one person."""
    condition = candidate_rows(table, search.person.kind)
    if condition is None:
        return []
    query = SQL("select {} from {} where {}").format(listed(table.key), qualified(table), condition)
    with connection.cursor("candidates") as cursor:
        keys = [tuple(row.values()) for row in cursor.execute(query, search.parameters)]
    connection.commit()
    return keys


def _rows(
    connection: Connection[dict[str, Any]],
    table: Table,
    keys: Sequence[tuple[object, ...]],
    *,
    lock: bool,
) -> list[dict[str, Any]]:
    """Return rows in the order of their key, in which the sink locks them as well."""
    types = {column.name: column.type for column in table.columns}
    wanted = dict.fromkeys((*table.key, *_read(table)))
    query = SQL("select {} from {} where ({}) in (select * from unnest({})) order by {} {}").format(
        listed(wanted),
        qualified(table),
        listed(table.key),
        SQL(", ").join(SQL("%s::{}[]").format(SQL(types[name])) for name in table.key),
        listed(table.key),
        SQL("for update" if lock else ""),
    )
    rows = connection.execute(query, [list(cells) for cells in zip(*keys, strict=True)]).fetchall()
    if table is raw_table:
        return [row | {"engagement_id": _engagement_id(row["payload"])} for row in rows]
    return rows


def _read(table: Table) -> Iterable[str]:
    if table is raw_table:
        return "account_id", *_raw_columns
    linked = {"account_id", "engagement_id", "user_id"}
    return (c.name for c in table.columns if c.personal or c.name in linked)


def _engagement_id(payload: Any) -> object:  # noqa: ANN401 - JSON
    members = payload["payload"]
    entity = members.get("object") or members
    return entity.get("engagement_id") if isinstance(entity, dict) else None


def _update(
    connection: Connection[Any],
    table: Table,
    row: Mapping[str, object],
    changes: Mapping[str, object],
) -> None:
    """Change a row, or delete it where it would equal another one of the person.

    A number may have several notations, or occur next to its pseudonym. One token replaces all of
    them, and they may be the only difference between two keys.
    """
    types = {column.name: column.type for column in table.columns}
    key = {name: row[name] for name in table.key}
    if not changes.keys().isdisjoint(key):
        updated = connection.execute(
            SQL("select from {} where {}").format(qualified(table), _matching(key)),
            [changes.get(name, row[name]) for name in key],
        )
        if updated.rowcount:
            delete = SQL("delete from {} where {}").format(qualified(table), _matching(key))
            connection.execute(delete, list(key.values()))
            return
    cells = [
        Jsonb(value) if types[name] == "jsonb" and value is not None else value
        for name, value in changes.items()
    ]
    query = SQL("update {} set {} where {}").format(
        qualified(table),
        SQL(", ").join(SQL("{} = %s").format(Identifier(name)) for name in changes),
        _matching(key),
    )
    connection.execute(query, [*cells, *key.values()])


def _matching(names: Iterable[str]) -> Composable:
    return SQL(" and ").join(SQL("{} = %s").format(Identifier(name)) for name in names)
