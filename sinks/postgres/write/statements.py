"""Sends a batch's rows to the tables, in as few round trips as their size allows."""

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from sinks.postgres.errors import SqlFault, fault_of
from sinks.postgres.model.tables import Table
from sinks.postgres.write.batch_preparation import ArrayInsert, CopyInsert, Prepared

_not_done: Final = -1


class RefusedRowsError(Exception):
    """A table rejects rows for their content; ``error`` is the server's."""

    def __init__(self, table: Table, error: psycopg.Error) -> None:
        super().__init__(f"{table.name} refuses rows")
        self.table = table
        self.error = error


class _Array(bytes):
    """A parameter in its binary form; the statement names its type."""


class _ArrayDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: _Array) -> Buffer:
        return obj


def adapt(connection: AsyncConnection) -> None:
    """Prepare a new connection for `write_all`."""
    connection.adapters.register_dumper(_Array, _ArrayDumper)


async def write_all(connection: AsyncConnection, prepared: Prepared) -> Mapping[str, int]:
    """Return the number of rows that were new or changed, by table. The caller commits.

    Raises:
        RefusedRowsError: the transaction has failed for the content of rows.
        psycopg.Error: for any other reason.
    """
    return {
        **{each.table.name: await _copy(connection, each) for each in prepared.copied},
        **await _insert_arrays(connection, prepared.passed),
    }


async def try_rows(connection: AsyncConnection, passed: ArrayInsert) -> None:
    """Send rows to a table as a probe, without a prepared statement.

    The driver discards prepared statements after each rollback, which costs another statement.
    """
    await _pass_rows(connection.cursor(), passed, prepare=False)


async def _pass_rows(
    cursor: AsyncCursor, passed: ArrayInsert, *, prepare: bool | None = None
) -> None:
    parameters = [_Array(array) for array in passed.arrays]
    await cursor.execute(passed.table.unnest_sql(), parameters, prepare=prepare)


async def _copy(connection: AsyncConnection, copied: CopyInsert) -> int:
    cursor = connection.cursor()
    try:
        async with cursor.copy(copied.table.copy_sql()) as copy:
            await copy.write(copied.content)
        await cursor.execute(copied.table.merge_sql())
    except psycopg.Error as error:
        if fault_of(error) is not SqlFault.RECORD:
            raise
        raise RefusedRowsError(copied.table, error) from error
    return cursor.rowcount


async def _insert_arrays(
    connection: AsyncConnection, passed: Sequence[ArrayInsert]
) -> Mapping[str, int]:
    """Send all statements at once; those after a failing one are not carried out."""
    cursors = {each.table: connection.cursor() for each in passed}
    try:
        async with connection.pipeline():
            for each in passed:
                await _pass_rows(cursors[each.table], each)
    except psycopg.Error as error:
        if fault_of(error) is not SqlFault.RECORD:
            raise
        failed = next(table for table, cursor in cursors.items() if cursor.rowcount == _not_done)
        raise RefusedRowsError(failed, error) from error
    return {table.name: cursor.rowcount for table, cursor in cursors.items()}
