"""Pure: the statements that write a table: rows are staged by binary COPY, then merged.

Each table has a temporary twin per connection, without keys. The table's own rule resolves a row
whose key exists already, so a merge may be repeated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from struct import Struct
from typing import Any, Final, Literal

Cell = str | int | bytes | tuple[str, ...] | None
Row = Sequence[Cell]
SqlType = Literal[
    "text",
    "text[]",
    "timestamptz",
    "boolean",
    "integer",
    "bigint",
    "jsonb",
    "bytea",
]
Personal = Literal[
    "phone",
    "org_phone",
    "email",
    "person_name",
    "person_attr",
    "pseudonymous_id",
    "user_ref",
    "account_number",
    "location",
    "network",
    "free_text",
    "free_text_low",
    "dtmf",
    "file_name",
    "url",
    "document",
]
"""Classes of personal data; ``document`` is JSON that may hold any of them."""

schema: Final = "zcc"

_epoch_2000_us: Final = 946_684_800_000_000
_int16: Final = Struct(">h")
_int32: Final = Struct(">i")
_sized_bool: Final = Struct(">i?")
_sized_int32: Final = Struct(">ii")
_sized_int64: Final = Struct(">iq")
_sized_version: Final = Struct(">ib")  # jsonb begins with the version of its format
_array: Final = Struct(">iiiii")  # dimensions, has nulls, type, length, first index
_oids: Final[Mapping[str, int]] = {
    "text": 25,
    "timestamptz": 1184,
    "boolean": 16,
    "integer": 23,
    "bigint": 20,
    "bytea": 17,
    "jsonb": 3802,
}
"""Source: PostgreSQL, src/include/catalog/pg_type.dat."""
_Write = Callable[[Any], Iterable[bytes]]
"""Writes the cells of a column: the size of each, -1 for none, and its content."""
_header: Final = b"PGCOPY\n\xff\r\n\0" + _int32.pack(0) + _int32.pack(0)
_trailer: Final = _int16.pack(-1)
_null: Final = _int32.pack(-1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, with the type of its cells.

    text: str; text[]: tuple of str; timestamptz: int, epoch milliseconds; boolean: bool; integer,
    bigint: int; jsonb, bytea: bytes. ``personal`` is its class of personal data, which the column's
    comment in the database names too.
    """

    name: str
    type: SqlType
    personal: Personal | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table and its rule for existing rows.

    ``resolution`` follows "on conflict (key)"; the existing row is called ``stored``. A
    ``partitioned`` table has partitions by ``event_ts``, a part of its key.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    resolution: str
    partitioned: bool = False

    @property
    def staging(self) -> str:
        """Name of the temporary twin."""
        return f"staging_{self.name}"

    def staging_sql(self) -> str:
        """Return the statement that creates the twin, without compression."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        return (
            f"create temporary table {self.staging} ({columns}) "
            "with (toast_tuple_target = 8160) on commit delete rows"
        )

    def copy_sql(self) -> str:
        """Return the statement for the result of `copied`."""
        return f"copy pg_temp.{self.staging} ({self._names}) from stdin (format binary)"

    def merge_sql(self) -> str:
        """Return the statement that merges the staged rows, in the order of their staging."""
        return (
            f"insert into {schema}.{self.name} as stored ({self._names}) "  # noqa: S608 - constants
            f"select {self._names} from pg_temp.{self.staging} "
            f"on conflict ({', '.join(self.key)}) {self.resolution}"
        )

    def unnest_sql(self) -> str:
        """Return the statement that merges rows from `arrays`."""
        arrays = ", ".join(f"%b::{_element(column)}[]" for column in self.columns)
        cells = ", ".join(
            f"{column.name}::text[]" if column.type == "text[]" else column.name
            for column in self.columns
        )
        return (
            f"insert into {schema}.{self.name} as stored ({self._names}) "  # noqa: S608 - constants
            f"select {cells} from unnest({arrays}) as input ({self._names}) "
            f"on conflict ({', '.join(self.key)}) {self.resolution}"
        )

    @property
    def _names(self) -> str:
        return ", ".join(column.name for column in self.columns)


def columns_of(type_: SqlType, *names: str, personal: Personal | None = None) -> tuple[Column, ...]:
    """Return columns of one type and one class of personal data."""
    return tuple(Column(name, type_, personal) for name in names)


class Texts(dict[Any, bytes]):
    """Encoded texts, each encoded once: most occur in many rows, and in several tables."""

    def __init__(self) -> None:
        super().__init__({None: _null})

    def __missing__(self, text: str) -> bytes:
        content = text.encode()
        field = self[text] = _int32.pack(len(content)) + content
        return field


def copied(table: Table, rows: Sequence[Row], texts: Texts) -> bytes:
    """Write rows in the binary form of COPY; ``texts`` is shared by all tables of a batch.

    Source: PostgreSQL, COPY, "Binary Format"; times count microseconds from 2000-01-01.
    """
    columns = _columns(table, rows, texts, _text_arrays)
    counts = repeat(_int16.pack(len(table.columns)), len(rows))
    fields = chain.from_iterable(zip(counts, *columns)) if rows else ()  # noqa: B905 - lazy
    return b"".join((_header, *fields, _trailer))


def arrays(table: Table, rows: Sequence[Row], texts: Texts) -> list[bytes]:
    """Write rows as one array for each column, in the binary form of parameters.

    Source: PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv.
    """
    head = {oid: _array.pack(1, 1, oid, len(rows), 1) for oid in _oids.values()}
    fields = _columns(table, rows, texts, _array_literals)
    return [
        b"".join((head[_oids[_element(column)]], *written))
        for column, written in zip(table.columns, fields, strict=True)
    ]


def _element(column: Column) -> str:
    return "text" if column.type == "text[]" else column.type


def _columns(
    table: Table, rows: Sequence[Row], texts: Texts, write_arrays: _Write
) -> list[Iterable[bytes]]:
    """Return the fields of each column."""
    write: Mapping[SqlType, _Write] = {
        **_fields,
        "text": lambda cells: map(texts.__getitem__, cells),
        "text[]": write_arrays,
    }
    return [
        write[column.type](cells)
        for column, cells in zip(table.columns, zip(*rows, strict=True), strict=bool(rows))
    ]


def _text_arrays(cells: Iterable[tuple[str, ...] | None]) -> list[bytes]:
    return [_null if cell is None else _text_array(cell) for cell in cells]


def _text_array(cell: tuple[str, ...]) -> bytes:
    items = (item.encode() for item in cell)
    fields = (part for item in items for part in (_int32.pack(len(item)), item))
    content = b"".join((_array.pack(1, 0, _oids["text"], len(cell), 1), *fields))
    return _int32.pack(len(content)) + content


def _array_literals(cells: Iterable[tuple[str, ...] | None]) -> list[bytes]:
    """Write arrays as text: an array of arrays would need inner arrays of equal length."""
    return _byteas(None if cell is None else _array_literal(cell) for cell in cells)


def _array_literal(cell: tuple[str, ...]) -> bytes:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in cell)
    return ("{" + ",".join(f'"{item}"' for item in quoted) + "}").encode()


def _times(cells: Iterable[int | None]) -> list[bytes]:
    pack = _sized_int64.pack
    return [_null if c is None else pack(8, c * 1000 - _epoch_2000_us) for c in cells]


def _booleans(cells: Iterable[bool | None]) -> list[bytes]:
    return [_null if c is None else _sized_bool.pack(1, c) for c in cells]


def _integers(cells: Iterable[int | None]) -> list[bytes]:
    pack = _sized_int32.pack
    return [_null if c is None else pack(4, c) for c in cells]


def _bigints(cells: Iterable[int | None]) -> list[bytes]:
    pack = _sized_int64.pack
    return [_null if c is None else pack(8, c) for c in cells]


def _byteas(cells: Iterable[bytes | None]) -> list[bytes]:
    pack = _int32.pack
    return [_null if c is None else pack(len(c)) + c for c in cells]


def _jsonbs(cells: Iterable[bytes | None]) -> list[bytes]:
    pack = _sized_version.pack
    return [_null if c is None else pack(len(c) + 1, 1) + c for c in cells]


_fields: Final[Mapping[SqlType, _Write]] = {
    "timestamptz": _times,
    "boolean": _booleans,
    "integer": _integers,
    "bigint": _bigints,
    "bytea": _byteas,
    "jsonb": _jsonbs,
}
"""By type, the writer of a column's cells."""
