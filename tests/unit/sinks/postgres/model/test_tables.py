"""The binary form of COPY; the component tests show that Postgres reads it."""

import struct

import pytest

from sinks.postgres.model.tables import Cell, Column, SqlType, Table, Texts, arrays, copied

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


def fields(table: Table, rows: list[list[Cell]]) -> bytes:
    content = copied(table, rows, Texts())
    assert content.startswith(HEADER)
    assert content.endswith(TRAILER)
    return content[len(HEADER) : -len(TRAILER)]


def table(*types: SqlType) -> Table:
    columns = tuple(Column(f"c{n}", type_) for n, type_ in enumerate(types))
    return Table("t", columns, ("c0",), "do nothing")


@pytest.mark.parametrize(
    ("type_", "cell", "field"),
    [
        ("text", "é", b"\0\0\0\2\xc3\xa9"),
        ("timestamptz", 946_684_800_001, struct.pack(">iq", 8, 1000)),
        ("boolean", True, b"\0\0\0\1\1"),
        ("boolean", False, b"\0\0\0\1\0"),
        ("integer", -2, struct.pack(">ii", 4, -2)),
        ("bigint", 1 << 40, struct.pack(">iq", 8, 1 << 40)),
        ("bytea", b"\0", b"\0\0\0\1\0"),
        ("jsonb", b"{}", b"\0\0\0\3\1{}"),
        ("text[]", ("a",), struct.pack(">iiiiii", 25, 1, 0, 25, 1, 1) + b"\0\0\0\1a"),
        *((type_, None, b"\xff\xff\xff\xff") for type_ in ("text", "jsonb", "bytea", "boolean")),
    ],
)
def test_a_cell_is_written_as_its_type_is(type_: SqlType, cell: Cell, field: bytes) -> None:
    assert fields(table(type_), [[cell]]) == b"\0\1" + field


def test_rows_keep_their_order_and_equal_cells_their_columns() -> None:
    encoded = fields(table("integer", "bigint"), [[1, 1], [2, None], [1, 1]])
    one, two = struct.pack(">hiiiq", 2, 4, 1, 8, 1), struct.pack(">hiii", 2, 4, 2, -1)
    assert encoded == one + two + one


def test_no_rows_are_a_header_and_an_end() -> None:
    assert fields(table("text"), []) == b""


@pytest.mark.parametrize("rows", [[["a"]], [["a", "b"], ["a"]], [["a", "b", "c"]]])
def test_a_row_of_another_width_is_refused(rows: list[list[Cell]]) -> None:
    with pytest.raises(ValueError, match="zip"):
        copied(table("text", "text"), rows, Texts())


@pytest.mark.parametrize(
    ("type_", "cells", "oid", "content"),
    [
        ("text", ("a", None), 25, b"\0\0\0\1a\xff\xff\xff\xff"),
        ("integer", (1, 2), 23, struct.pack(">iiii", 4, 1, 4, 2)),
        ("jsonb", (b"{}", None), 3802, b"\0\0\0\3\1{}\xff\xff\xff\xff"),
        ("text[]", (("a", 'q" \\'), ()), 25, b'\0\0\0\x0e{"a","q\\" \\\\"}\0\0\0\2{}'),
        ("text[]", (None, None), 25, b"\xff\xff\xff\xff" * 2),
    ],
)
def test_rows_are_passed_as_one_array_for_each_column(
    type_: SqlType, cells: tuple[Cell, ...], oid: int, content: bytes
) -> None:
    (encoded,) = arrays(table(type_), [[cell] for cell in cells], Texts())
    assert encoded == struct.pack(">iiiii", 1, 1, oid, 2, 1) + content


def test_texts_are_written_once_for_all_tables_of_a_batch() -> None:
    texts = Texts()
    copied(table("text"), [["same"]], texts)
    written = texts["same"]
    arrays(table("text"), [["same"]], texts)
    assert texts["same"] is written
