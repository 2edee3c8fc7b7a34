"""Removes expired data while the sink runs; it never touches offsets.

Partitions are removed as a whole once all of their time has expired. They are detached and dropped
in one short transaction, because `detach ... concurrently` is refused where a table has a default
partition. Rows of other tables, and of default partitions, are removed in batches. The age of a row
is that of the last event that changed it: the stamps of its registers and its times (see
`sinks.postgres.model.projection`).

A removed row comes back when its topic is read again, until the next run.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Composable, Identifier

from runtime.clock import Clock
from runtime.errors import TransientError
from sinks.postgres.connection import command_connection
from sinks.postgres.model.events import stamp
from sinks.postgres.model.families.engagement import engagement
from sinks.postgres.model.projection import Projection
from sinks.postgres.model.registry import projections
from sinks.postgres.model.rows import raw_table
from sinks.postgres.model.tables import schema
from sinks.postgres.privacy.audit import Audit
from sinks.postgres.privacy.retention_classes import RetentionClass, classes

_lasting: Final = frozenset({"user_status_change", "user_presence"})
"""Their rows describe a state that lasts until the user's next one."""

_ahead: Final = {"scheduled_callback": "start_time"}
"""Future times of rows that no event may mention again, by table."""

_by_name: Final = {projection.name: projection for projection in projections}
_batch_rows: Final = 5_000
_lock_timeout: Final = "2s"
_partitions_lock: Final = 7_213_640_002
"""The creator of a partition holds it: it locks the default partition first, detaching locks the
table first."""
_tries: Final = 5
_time_bytes: Final = 8
"""The first bytes of a stamp: the time of occurrence."""


class ExpiredRows(NamedTuple):
    """An expired partition, or expired rows of a table.

    The rows of a partition are those of the server's last count.
    """

    table: str
    partition: str | None
    rows: int


class _Due(NamedTuple):
    table: str
    before: datetime


def apply_retention(
    dsn: str, days: Mapping[RetentionClass, int], clock: Clock, *, apply: bool
) -> list[ExpiredRows]:
    """Find rows older than the ``days`` of their class; remove them if ``apply``.

    Rows of a class without days never expire.

    May be run again at any time, also after an interruption.

    Raises:
        TransientError: Postgres does not answer, or a table stays locked.
        ConfigurationError: the login or its rights do not suffice.
    """
    due = [
        _Due(table, clock.now() - timedelta(days=days[class_]))
        for class_, tables in classes.items()
        if class_ in days
        for table in tables
    ]
    with command_connection(dsn, "zcc retention", lock_timeout=_lock_timeout) as connection:
        request = {str(class_): count for class_, count in days.items()}
        audit = Audit.begin(connection, "retention", request) if apply and due else None
        expired = [old for each in due for old in _of_table(connection, each, audit)]
        if audit:
            audit.end()
    return expired


def _of_table(connection: Connection[Any], due: _Due, audit: Audit | None) -> Iterable[ExpiredRows]:
    if due.table == raw_table.name or _by_name[due.table].partitioned:
        yield from _partitions(connection, due, audit)
        table = f"{due.table}_default"
        rows = _rows(connection, table, SQL("event_ts < {}").format(due.before), audit)
    else:
        table = due.table
        rows = _rows(connection, table, is_old(_by_name[table], due.before), audit)
    if rows:
        yield ExpiredRows(table, None, rows)


def _partitions(
    connection: Connection[Any], due: _Due, audit: Audit | None
) -> Iterable[ExpiredRows]:
    ranges = connection.execute(
        "select name, greatest(reltuples, 0)::bigint from zcc.partition_range "
        "join pg_class on pg_class.oid = ('zcc.' || quote_ident(name))::regclass "
        "where parent = %s and end_moment <= %s order by name",
        (due.table, due.before),
    ).fetchall()
    connection.commit()
    for name, rows in ranges:
        if audit:
            _drop(connection, due.table, name)
            audit.count(name, rows)
            connection.commit()
        yield ExpiredRows(due.table, name, rows)


def _drop(connection: Connection[Any], table: str, partition: str) -> None:
    """Detach and drop; readers of the table wait for that moment."""
    for _ in range(_tries):
        try:
            connection.execute(f"select pg_advisory_xact_lock({_partitions_lock})")
            connection.execute(
                SQL("alter table {} detach partition {}").format(
                    Identifier(schema, table), Identifier(schema, partition)
                )
            )
            connection.execute(SQL("drop table {}").format(Identifier(schema, partition)))
        except LockNotAvailable:
            connection.rollback()
        else:
            return
    raise TransientError(
        f"{schema}.{table} is locked by others: nothing more was removed, run it again later"
    )


def _rows(
    connection: Connection[Any], table: str, condition: Composable, audit: Audit | None
) -> int:
    name = Identifier(schema, table)
    if audit is None:
        query = SQL("select count(*) from {} as stored where {}").format(name, condition)
        row = connection.execute(query).fetchone()
        connection.commit()
        return int(row[0]) if row else 0
    delete = SQL(
        "delete from {name} as stored where {condition} and ctid = any(array("
        "select ctid from {name} as stored where {condition} limit {limit}))"
    ).format(name=name, condition=condition, limit=_batch_rows)
    total = 0
    while count := connection.execute(delete).rowcount:
        audit.count(table, count)
        connection.commit()
        total += count
    connection.commit()
    return total


def is_old(projection: Projection, before: datetime, *, row: str = "stored") -> Composable:
    """Return the condition of rows that no later event has changed.

    Rows of an engagement are as old as the engagement, and a lasting state as the next one.
    """
    newest = stamp(round(before.timestamp() * 1000), 0, b"", 0)[:_time_bytes]
    oldest = bytes(255 - byte for byte in newest)
    conditions: list[Composable] = []
    for register in projection.registers:
        column = Identifier(row, register.stamp.name)
        match register.takes:
            case "newest":
                conditions.append(SQL("{} < {}").format(column, newest))
            case "oldest":  # its stamp is complemented
                form = SQL("({0} = '' or substr({0}, 1, {1}) > {2})")
                conditions.append(form.format(column, _time_bytes, oldest))
            case "revision":
                conditions.append(SQL("{} < {}").format(Identifier(row, "event_ts"), before))
    for bound in projection.bounds:
        column = Identifier(row, bound.column)
        conditions.append(SQL("coalesce({} < {}, true)").format(column, before))
    if projection.name in _lasting:
        conditions.append(_followed(projection, before, row))
    if projection.name in _ahead:
        conditions.append(SQL("{} < {}").format(Identifier(row, _ahead[projection.name]), before))
    if projection is not engagement and any(c.name == "engagement_id" for c in projection.key):
        conditions.append(
            SQL(
                "not exists (select from zcc.engagement as whole "
                "where whole.account_id = {account_id} and whole.engagement_id = {engagement_id} "
                "and not ({old}))"
            ).format(
                account_id=Identifier(row, "account_id"),
                engagement_id=Identifier(row, "engagement_id"),
                old=is_old(engagement, before, row="whole"),
            )
        )
    return SQL(" and ").join(conditions)


def _followed(projection: Projection, before: datetime, row: str) -> Composable:
    return SQL(
        "exists (select from {table} as later "
        "where later.account_id = {account_id} and later.user_id = {user_id} "
        "and (later.occurred_at, later.event_id) > ({occurred_at}, {event_id}) "
        "and later.event_ts < {before})"
    ).format(
        table=Identifier(schema, projection.name),
        account_id=Identifier(row, "account_id"),
        user_id=Identifier(row, "user_id"),
        occurred_at=Identifier(row, "occurred_at"),
        event_id=Identifier(row, "event_id"),
        before=before,
    )
