"""Replies of Zoom's API as tables."""

from io import StringIO

from rich.console import Console, RenderableType

from operations.api.tables import columns_of, document_table, items_table, shown


def printed(part: RenderableType, width: int = 100) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(part)
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_columns_are_the_members_that_fit_in_the_order_in_which_they_come() -> None:
    items = [{"id": "1", "name": "Ann"}, {"id": "2", "teams": [{"t": 1}], "long": "x" * 90}]
    columns = columns_of(items, 50)
    assert dict(columns.widths) == {"id": 2, "name": 4, "long": 40}
    assert columns.left_out == ("teams",)
    assert columns_of(items, 20).left_out == ("teams", "long")
    assert dict(columns_of([{"id": "1" * 60}], 10).widths) == {"id": 40}


def test_a_later_page_keeps_the_widths_of_the_first() -> None:
    columns = columns_of([{"id": "1", "name": "Ann"}], 50)
    assert printed(items_table([{"id": "1", "name": "Ann"}], columns, header=True)) == [
        "id name",
        "1  Ann",
    ]
    later = items_table([{"name": "Barbara", "id": 22}, {"novel": 1}], columns, header=False)
    assert printed(later) == ["22 Barb", "   ara", ""]


def test_wide_characters_count_twice() -> None:
    assert dict(columns_of([{"n": "東京"}], 50).widths) == {"n": 4}


def test_things_that_are_no_objects_have_a_column_too() -> None:
    columns = columns_of(["a", "b"], 50)
    assert printed(items_table(["a", "b"], columns, header=True)) == ["value", "a", "b"]


def test_what_customers_wrote_can_neither_move_the_cursor_nor_be_markup() -> None:
    evil = "\x1b[2J[bold]\nx\u202e"
    columns = columns_of([{"m": evil}], 100)
    for part in (
        items_table([{"m": evil}], columns, header=True),
        document_table({"m": evil, "n": {"o": evil}}),
    ):
        text = "\n".join(printed(part))
        assert "[bold]" in text
        assert not {"\x1b", "\u202e"} & set(text)


def test_values_are_short_and_plain() -> None:
    values = [None, "", "a", 1, 1.5, True, [], ["a", 1], {"a": 1}, [{"a": 1}]]
    assert [shown(value) for value in values] == [
        *("", "", "a", "1", "1.5", "true", "", "a, 1", '{"a": 1}', '[{"a": 1}]'),
    ]


def test_a_document_shows_objects_indented() -> None:
    assert printed(document_table({"id": "1", "team": {"name": "Århus"}})) == [
        "id    1",
        "team  {",
        '        "name": "Århus"',
        "      }",
    ]
