"""Pure: tables whose rows do not depend on the order of their events.

Zoom delivers out of order and more than once. So each group of columns is a last-writer-wins
register: it takes its values from the newest (or oldest) event that carries them, and stores that
event's stamp. A stamp orders events by (occurred_at, event_ts, event_id), then by revision; for an
oldest register its first three parts are complemented, so that the greater stamp wins everywhere.

Taking the greater of two stamped values is commutative, associative and idempotent, because equal
stamps mean the same revision of the same event. Hence any order, any repeats and any division into
batches give the same row. Bounds (the least or greatest of some times) have these properties
already.

An event table has the id of its event in its key, so two updates of a row can differ only in their
revision. Its stamp is the number of the revision, in the column of that name; of equal ones the
first stays.

The same rule merges within a batch (`reduced`) and into the table (the resolution of
`Projection.table`).

A family's module offers ``projections`` (a tuple, `event_table` among them) and ``readers`` (by the
full name of the event, a tuple of functions from an event to `ColumnUpdate`s).
``sinks.postgres.model.registry`` collects them and adds what every event says about its engagement.
An update holds only what its event carries: an absent register leaves the columns unchanged, a
present one replaces all its columns, with None too. Cells of a key are never None. A key with texts
too long for an index voids the update. `Column` defines the form of cells;
``sinks.postgres.model.json_fields`` reads them from JSON.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple, Protocol, cast

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.tables import Cell, Column, Row, Table

Values = tuple[Cell, ...]

event_columns: Final = (Column("event_id", "text"), Column("event_ts", "timestamptz"))
"""The key of the raw event. Part of the key of all event tables, ``event_ts`` so that they can be
partitioned like the raw events."""

no_stamp: Final = b""
"""Less than every stamp: no event has carried the values yet."""

longest_key: Final = 650
"""Characters of all texts of a key, of 4 bytes at most. An index entry holds 2,704 bytes."""

_no_revision: Final = -1
_ordering_bytes: Final = 48  # of a stamp: all but the revision
_complement: Final = bytes(255 - byte for byte in range(256))
_nothing: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class VersionedColumns:
    """A register: columns that take their values together, from one event."""

    name: str
    columns: tuple[Column, ...]
    takes: Literal["newest", "oldest", "revision"] = "newest"

    @property
    def stamp(self) -> Column:
        """The column that orders the values."""
        if self.takes == "revision":
            return Column("revision", "integer")
        return Column(f"{self.name}_stamp", "bytea")


@dataclass(frozen=True, slots=True)
class MinMaxColumn:
    """The least or greatest time that events carry for a column."""

    column: str
    takes: Literal["least", "greatest"]


class _EventPosition(NamedTuple):
    """The position of a register's values in a row; the stamp follows them."""

    start: int
    end: int
    takes: Literal["newest", "oldest", "revision"]


@dataclass(frozen=True, eq=False)
class Projection:
    """A table, one row per key: key columns, registers with their stamps, bounds, in this order."""

    name: str
    key: tuple[Column, ...]
    registers: tuple[VersionedColumns, ...] = ()
    bounds: tuple[MinMaxColumn, ...] = ()
    partitioned: bool = False

    @cached_property
    def table(self) -> Table:
        """The table, with its rule for merging into an existing row."""
        registered = (column for r in self.registers for column in (*r.columns, r.stamp))
        limits = (Column(bound.column, "timestamptz") for bound in self.bounds)
        return Table(
            self.name,
            (*self.key, *registered, *limits),
            tuple(column.name for column in self.key),
            _resolution(self),
            self.partitioned,
        )

    @cached_property
    def key_texts(self) -> Callable[[Values], tuple[str, ...]]:
        """Extracts the texts of a key; every key has two or more."""
        texts = (index for index, column in enumerate(self.key) if column.type == "text")
        return itemgetter(*texts)

    @cached_property
    def default_row(self) -> Values:
        """The cells after the key in a row without any update."""
        cells: list[Cell] = []
        for register in self.registers:
            stamp = _no_revision if register.takes == "revision" else no_stamp
            cells += (*(None for _ in register.columns), stamp)
        return (*cells, *(None for _ in self.bounds))

    @cached_property
    def positions(self) -> Mapping[str, _EventPosition]:
        """The position of each register's values in a row."""
        by_register, start = {}, len(self.key)
        for register in self.registers:
            end = start + len(register.columns)
            by_register[register.name] = _EventPosition(start, end, register.takes)
            start = end + 1
        return by_register

    @cached_property
    def limits(self) -> Mapping[str, tuple[int, bool]]:
        """The position of each bound in a row, and whether it is a least one."""
        start = len(self.key) + len(self.default_row) - len(self.bounds)
        return {
            bound.column: (start + index, bound.takes == "least")
            for index, bound in enumerate(self.bounds)
        }


class ColumnUpdate(NamedTuple):
    """The values of one event for one row.

    ``registers`` holds values by name of the register, ``bounds`` epoch milliseconds by column. Of
    two updates of a register of one row by one event the first stays.
    """

    projection: Projection
    key: Values
    registers: Mapping[str, Values] = _nothing
    bounds: Mapping[str, int] = _nothing


Reader = Callable[[ParsedEvent], Iterable[ColumnUpdate]]


class Stamped(Protocol):
    """A message with its order."""

    @property
    def stamp(self) -> bytes:
        """Order by (occurred_at, event_ts, event_id), 48 bytes, then by revision, 4 bytes."""

    @property
    def revision(self) -> int:
        """The number of the enrichment's attempt."""


def present(**registers: Values) -> dict[str, Values]:
    """Return the registers whose first value is there."""
    return {name: values for name, values in registers.items() if values[0] is not None}


def event_table(
    name: str, key: tuple[Column, ...], *columns: Column, partitioned: bool = False
) -> Projection:
    """Return a table with one row per event: the event's id is in the key.

    Its updates give the values of its only register, ``event``.
    """
    register = VersionedColumns("event", columns, "revision")
    return Projection(name, key, (register,), partitioned=partitioned)


def reduced(
    updates_by_source: Iterable[tuple[Stamped, Iterable[ColumnUpdate]]],
) -> Mapping[Projection, list[Row]]:
    """Return one row for each updated key, by projection, in the order of the key."""
    rows_by_projection: defaultdict[Projection, dict[Values, list[Any]]] = defaultdict(dict)
    for source, column_updates in updates_by_source:
        stamps = _stamps(source)
        for projection, key, registers, bounds in column_updates:
            rows = rows_by_projection[projection]
            row = rows.get(key)
            if row is None:
                if sum(map(len, projection.key_texts(key))) > longest_key:
                    continue
                rows[key] = row = [*key, *projection.default_row]
            if registers:
                _take(row, projection.positions, registers, stamps)
            if bounds:
                _widen(row, projection.limits, bounds)
    return {
        projection: [rows[key] for key in sorted(cast("Any", rows))]
        for projection, rows in rows_by_projection.items()
    }


def _stamps(source: Stamped) -> Mapping[str, bytes | int]:
    newest = source.stamp
    oldest = newest[:_ordering_bytes].translate(_complement) + newest[_ordering_bytes:]
    return {"newest": newest, "oldest": oldest, "revision": source.revision}


def _take(
    row: list[Any],
    positions: Mapping[str, _EventPosition],
    registers: Mapping[str, Values],
    stamps: Mapping[str, bytes | int],
) -> None:
    for name, values in registers.items():
        start, end, takes = positions[name]
        stamp = stamps[takes]
        if stamp > row[end]:
            row[start:end] = values
            row[end] = stamp


def _widen(
    row: list[Any], limits: Mapping[str, tuple[int, bool]], bounds: Mapping[str, int]
) -> None:
    for column, time_ms in bounds.items():
        index, least = limits[column]
        known = row[index]
        if known is None or (time_ms < known if least else time_ms > known):
            row[index] = time_ms


def _resolution(projection: Projection) -> str:
    settings, changes = [], []
    for register in projection.registers:
        stamp = register.stamp.name
        newer = f"excluded.{stamp} > stored.{stamp}"
        changes.append(newer)
        settings += [
            f"{column.name} = case when {newer} then excluded.{column.name} "
            f"else stored.{column.name} end"
            for column in (*register.columns, register.stamp)
        ]
    for bound in projection.bounds:
        chosen = f"{bound.takes}(stored.{bound.column}, excluded.{bound.column})"
        changes.append(f"{chosen} is distinct from stored.{bound.column}")
        settings.append(f"{bound.column} = {chosen}")
    return f"do update set {', '.join(settings)} where {' or '.join(changes)}"
