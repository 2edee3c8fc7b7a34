"""Pure: how rows get into a table: staged by binary COPY, then merged by one statement.

Each table has a temporary twin per connection, without keys. A row whose key is already there is
resolved by the table's own rule, so that a merge may be repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from struct import Struct
from typing import Any, Final, Literal

Cell = str | int | float | bytes | tuple[str, ...] | None
Row = Sequence[Cell]
SqlType = Literal[
    "text",
    "text[]",
    "timestamptz",
    "boolean",
    "integer",
    "bigint",
    "double precision",
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
_sized_float64: Final = Struct(">id")
_array: Final = Struct(">iiiii")  # dimensions, has nulls, type, length, first index
_text_oid: Final = 25
_header: Final = b"PGCOPY\n\xff\r\n\0" + _int32.pack(0) + _int32.pack(0)
_trailer: Final = _int16.pack(-1)
_null: Final = _int32.pack(-1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and with it the kind of its cells.

    text: str; text[]: tuple of str; timestamptz: int, epoch milliseconds; boolean: bool;
    integer, bigint: int; double precision: float; jsonb, bytea: bytes. ``personal`` is the class
    of personal data in it; the comment of the column in the database names it too.
    """

    name: str
    type: SqlType
    personal: Personal | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table and its rule for rows that are already there.

    ``resolution`` follows "on conflict (key)"; the row that is there is called ``stored``. A table
    that is ``partitioned`` is so by month of ``event_ts``, a part of its key.
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


def columns_of(type_: SqlType, *names: str, personal: Personal | None = None) -> tuple[Column, ...]:
    """Return columns of one type and one class of personal data."""
    return tuple(Column(name, type_, personal) for name in names)


def encoded(table: Table, rows: Sequence[Row]) -> bytes:
    """Write rows in the binary form of COPY.

    Source: PostgreSQL, COPY, "Binary Format"; times count microseconds from 2000-01-01.
    """
    encoders = {column.type: _encoders[column.type]() for column in table.columns}
    columns = [
        map(encoders[column.type], cells)
        for column, cells in zip(table.columns, zip(*rows, strict=True), strict=bool(rows))
    ]
    counts = repeat(_int16.pack(len(table.columns)), len(rows))
    fields = chain.from_iterable(zip(counts, *columns)) if rows else ()  # noqa: B905 - lazy
    return b"".join((_header, *fields, _trailer))


def _text(cell: str) -> bytes:
    content = cell.encode()
    return _int32.pack(len(content)) + content


def _text_array(cell: tuple[str, ...]) -> bytes:
    texts = [_text(item) for item in cell]
    content = b"".join((_array.pack(1, 0, _text_oid, len(texts), 1), *texts))
    return _int32.pack(len(content)) + content


def _timestamptz(cell: int) -> bytes:
    return _sized_int64.pack(8, cell * 1000 - _epoch_2000_us)


def _boolean(cell: bool) -> bytes:  # noqa: FBT001 - a cell
    return _sized_bool.pack(1, cell)


def _integer(cell: int) -> bytes:
    return _sized_int32.pack(4, cell)


def _bigint(cell: int) -> bytes:
    return _sized_int64.pack(8, cell)


def _double_precision(cell: float) -> bytes:
    return _sized_float64.pack(8, cell)


def _bytea(cell: bytes) -> bytes:
    return _int32.pack(len(cell)) + cell


def _jsonb(cell: bytes | None) -> bytes:
    if cell is None:
        return _null
    return b"%b\x01%b" % (_int32.pack(len(cell) + 1), cell)  # 1 is the format's version


class _Known(dict[Any, bytes]):
    """Fields by cell, each written once: most cells stand in many rows of a batch."""

    def __init__(self, write: Callable[[Any], bytes]) -> None:
        super().__init__({None: _null})
        self._write = write

    def __missing__(self, cell: Cell) -> bytes:
        field = self[cell] = self._write(cell)
        return field


def _remembered(write: Callable[[Any], bytes]) -> Callable[[], Callable[[Cell], bytes]]:
    return lambda: _Known(write).__getitem__


_encoders: Final[Mapping[SqlType, Callable[[], Callable[[Any], bytes]]]] = {
    "text": _remembered(_text),
    "text[]": _remembered(_text_array),
    "timestamptz": _remembered(_timestamptz),
    "boolean": _remembered(_boolean),
    "integer": _remembered(_integer),
    "bigint": _remembered(_bigint),
    "double precision": _remembered(_double_precision),
    "bytea": _remembered(_bytea),
    "jsonb": lambda: _jsonb,  # long, and hardly ever twice
}
"""By type, what makes the function that writes the cells of a table."""
