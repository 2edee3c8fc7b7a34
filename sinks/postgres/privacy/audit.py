"""The record of removals by people: who, when, how many rows; never a value."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from psycopg import Connection
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

_begin: Final = """
insert into zcc.audit (act, asked, digest) values (%s, %s, %s) returning audit_id
"""
_count: Final = """
update zcc.audit
set counts = counts || jsonb_build_object(
    %(table)s::text, coalesce((counts ->> %(table)s)::bigint, 0) + %(count)s)
where audit_id = %(audit_id)s
"""
_end: Final = "update zcc.audit set finished_at = clock_timestamp() where audit_id = %s"


class Audit:
    """One row of the audit. It exists before the first row is removed, and counts with each."""

    def __init__(self, connection: Connection[Any], audit_id: int) -> None:
        self._connection = connection
        self._audit_id = audit_id

    @classmethod
    def begin(
        cls,
        connection: Connection[Any],
        act: Literal["erase", "retention"],
        request: Mapping[str, object],
        *,
        digest: str | None = None,
    ) -> "Audit":
        """Insert the row and commit."""
        cursor = connection.cursor(row_factory=scalar_row)
        (audit_id,) = cursor.execute(_begin, (act, Jsonb(request), digest))
        connection.commit()
        return cls(connection, audit_id)

    def count(self, table: str, count: int) -> None:
        """Add rows of a table; the caller commits, with these rows."""
        self._connection.execute(
            _count, {"table": table, "count": count, "audit_id": self._audit_id}
        )

    def end(self) -> None:
        """Mark the removal as complete, and commit."""
        self._connection.execute(_end, (self._audit_id,))
        self._connection.commit()
