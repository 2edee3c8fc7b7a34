"""Projections: how mentions become rows, and rows take in others."""

from typing import NamedTuple

from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    VersionedColumns,
    event_table,
    longest_key,
    present,
    reduced,
)
from sinks.postgres.model.tables import Cell, Column, columns_of

KEY = columns_of("text", "account_id", "id")
PERSON = Projection(
    "person",
    KEY,
    (
        VersionedColumns("name", columns_of("text", "first_name", "last_name")),
        VersionedColumns("origin", columns_of("text", "origin"), "oldest"),
    ),
    (MinMaxColumn("seen_at", "least"), MinMaxColumn("left_at", "greatest")),
)
WORD = event_table("word", (*KEY, Column("event_id", "text")), *columns_of("text", "word"))


class Source(NamedTuple):
    at: int
    revision: int = 1

    @property
    def stamp(self) -> bytes:
        return self.at.to_bytes(48, "big") + self.revision.to_bytes(4, "big")


def person(**registers: tuple[Cell, ...]) -> list[ColumnUpdate]:
    return [ColumnUpdate(PERSON, ("A", "1"), registers)]


def row(*updates: tuple[Source, list[ColumnUpdate]]) -> list[Cell]:
    (cells,) = reduced(updates)[PERSON]
    return list(cells)


def test_a_table_has_key_registers_with_their_stamps_and_bounds_in_this_order() -> None:
    assert [(column.name, column.type) for column in PERSON.table.columns] == [
        ("account_id", "text"),
        ("id", "text"),
        ("first_name", "text"),
        ("last_name", "text"),
        ("name_stamp", "bytea"),
        ("origin", "text"),
        ("origin_stamp", "bytea"),
        ("seen_at", "timestamptz"),
        ("left_at", "timestamptz"),
    ]
    assert PERSON.table.key == ("account_id", "id")


def test_a_table_of_facts_has_the_revision_for_a_stamp() -> None:
    assert [column.name for column in WORD.table.columns] == [
        "account_id",
        "id",
        "event_id",
        "word",
        "revision",
    ]


def test_a_register_takes_its_values_together_none_among_them() -> None:
    older = Source(1), person(name=("Ada", "Byron"))
    newer = Source(2), person(name=("Ada", None))
    for order in ([older, newer], [newer, older]):
        assert row(*order)[2:5] == ["Ada", None, newer[0].stamp]


def test_an_oldest_register_takes_the_oldest_event_and_of_that_the_last_revision() -> None:
    first, again = (Source(1), person(origin=("a",))), (Source(1, 2), person(origin=("b",)))
    later = Source(2, 9), person(origin=("c",))
    for order in ([first, again, later], [later, again, first], [again, later, first]):
        assert row(*order)[5] == "b"


def test_what_nobody_tells_is_none_under_a_stamp_less_than_all() -> None:
    assert row((Source(1), person(name=("Ada", "Byron"))))[5:] == [None, b"", None, None]


def test_of_equal_stamps_the_first_one_stays() -> None:
    assert row((Source(1), [*person(name=("a", "b")), *person(name=("c", "d"))]))[2] == "a"


def test_bounds_take_the_least_and_the_greatest() -> None:
    def seen(time_ms: int) -> list[ColumnUpdate]:
        return [ColumnUpdate(PERSON, ("A", "1"), bounds={"seen_at": time_ms, "left_at": time_ms})]

    assert row(*((Source(n), seen(n)) for n in (5, 3, 9)))[-2:] == [3, 9]


def test_a_higher_revision_replaces_a_fact_and_an_equal_one_does_not() -> None:
    def fact(revision: int, word: str) -> tuple[Source, list[ColumnUpdate]]:
        return Source(1, revision), [ColumnUpdate(WORD, ("A", "1", "E"), {"event": (word,)})]

    (cells,) = reduced([fact(1, "a"), fact(1, "b"), fact(3, "c"), fact(2, "d")])[WORD]
    assert list(cells) == ["A", "1", "E", "c", 3]


def test_a_fact_may_come_from_a_revision_of_zero() -> None:
    updates = [(Source(1, 0), [ColumnUpdate(WORD, ("A", "1", "E"), {"event": ("a",)})])]
    assert [list(cells) for cells in reduced(updates)[WORD]] == [["A", "1", "E", "a", 0]]


def test_rows_are_in_the_order_of_the_key() -> None:
    ids = ["b", "a", "ab", "B", "é"]
    updates = [(Source(n), [ColumnUpdate(PERSON, ("A", id_))]) for n, id_ in enumerate(ids)]
    assert [cells[1] for cells in reduced(updates)[PERSON]] == ["B", "a", "ab", "b", "é"]


def test_a_mention_whose_key_no_index_takes_is_void() -> None:
    longest, longer = ["x" * (longest_key - len("A") + more) for more in (0, 1)]
    updates = [(Source(1), [ColumnUpdate(PERSON, ("A", id_)) for id_ in (longest, longer)])]
    assert [cells[1] for cells in reduced(updates)[PERSON]] == [longest]


def test_carried_leaves_out_registers_without_their_first_value() -> None:
    assert present(name=("Ada", None), origin=(None,), sex=(None, "f")) == {"name": ("Ada", None)}


def test_the_resolution_takes_newer_values_and_writes_nothing_where_nothing_is_newer() -> None:
    assert WORD.table.resolution == (
        "do update set "
        "word = case when excluded.revision > stored.revision "
        "then excluded.word else stored.word end, "
        "revision = case when excluded.revision > stored.revision "
        "then excluded.revision else stored.revision end "
        "where excluded.revision > stored.revision"
    )
    assert PERSON.table.resolution.endswith(
        "where excluded.name_stamp > stored.name_stamp "
        "or excluded.origin_stamp > stored.origin_stamp "
        "or least(stored.seen_at, excluded.seen_at) is distinct from stored.seen_at "
        "or greatest(stored.left_at, excluded.left_at) is distinct from stored.left_at"
    )
