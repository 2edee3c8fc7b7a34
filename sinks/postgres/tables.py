"""Pure: how rows get into a table: staged by binary COPY, then merged by one statement.

Each table has a temporary twin per connection, without keys. A row whose key is already there is
resolved by the table's own rule, so that a merge may be repeated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, Literal, cast

Cell = str | int | bytes | None
Row = tuple[Cell, ...]
SqlType = Literal["text", "timestamptz", "integer", "bigint", "jsonb", "bytea"]

schema: Final = "zcc"

_epoch_2000_us: Final = 946_684_800_000_000
_int16: Final = Struct(">h")
_int32: Final = Struct(">i")
_int64: Final = Struct(">q")
_sized_int32: Final = Struct(">ii")
_sized_int64: Final = Struct(">iq")
_header: Final = b"PGCOPY\n\xff\r\n\0" + _int32.pack(0) + _int32.pack(0)
_trailer: Final = _int16.pack(-1)
_null: Final = _int32.pack(-1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and with it the kind of its cells.

    text: str; timestamptz: int, epoch milliseconds; integer, bigint: int; jsonb, bytea: bytes.
    """

    name: str
    type: SqlType


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its rule for rows that are already there.

    ``resolution`` follows "on conflict (key)"; the row that is there is called ``stored``.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    resolution: str

    @property
    def staging(self) -> str:
        """Name of the temporary twin."""
        return f"staging_{self.name}"

    def staging_sql(self) -> str:
        """Return the statement that makes the twin; nothing in it is compressed."""
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        return (
            f"create temporary table {self.staging} ({columns}) "
            "with (toast_tuple_target = 8160) on commit delete rows"
        )

    def copy_sql(self) -> str:
        """Return the statement that takes what `encoded` returns."""
        return f"copy pg_temp.{self.staging} ({self._names}) from stdin (format binary)"

    def merge_sql(self) -> str:
        """Return the statement that moves the staged rows, in the order of their staging."""
        return (
            f"insert into {schema}.{self.name} as stored ({self._names}) "  # noqa: S608 - constants
            f"select {self._names} from pg_temp.{self.staging} "
            f"on conflict ({', '.join(self.key)}) {self.resolution}"
        )

    @property
    def _names(self) -> str:
        return ", ".join(column.name for column in self.columns)


def columns_of(type_: SqlType, *names: str) -> tuple[Column, ...]:
    """Return columns of one type."""
    return tuple(Column(name, type_) for name in names)


def encoded(table: Table, rows: Iterable[Sequence[Cell]]) -> bytes:
    """Write rows in the binary form of COPY.

    Source: PostgreSQL, COPY, "Binary Format"; times count microseconds from 2000-01-01.
    """
    count = _int16.pack(len(table.columns))
    encoders = tuple(_encoders[column.type] for column in table.columns)
    parts = [_header]
    for row in rows:
        parts.append(count)
        parts += [
            _null if cell is None else encode(cell)
            for encode, cell in zip(encoders, row, strict=True)
        ]
    parts.append(_trailer)
    return b"".join(parts)


def _text(cell: Cell) -> bytes:
    content = cast("str", cell).encode()
    return _int32.pack(len(content)) + content


def _timestamptz(cell: Cell) -> bytes:
    return _sized_int64.pack(8, cast("int", cell) * 1000 - _epoch_2000_us)


def _integer(cell: Cell) -> bytes:
    return _sized_int32.pack(4, cast("int", cell))


def _bigint(cell: Cell) -> bytes:
    return _sized_int64.pack(8, cast("int", cell))


def _jsonb(cell: Cell) -> bytes:
    content = cast("bytes", cell)
    return b"%b\x01%b" % (_int32.pack(len(content) + 1), content)  # 1 is the format's version


def _bytea(cell: Cell) -> bytes:
    content = cast("bytes", cell)
    return _int32.pack(len(content)) + content


_encoders: Final = {
    "text": _text,
    "timestamptz": _timestamptz,
    "integer": _integer,
    "bigint": _bigint,
    "jsonb": _jsonb,
    "bytea": _bytea,
}
