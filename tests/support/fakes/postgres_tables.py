"""Tables in memory that take rows in as the merge statements of the projections do."""

from collections.abc import Mapping, Sequence
from typing import Any

from sinks.postgres.model.projection import Projection
from sinks.postgres.model.registry import Message, projections
from sinks.postgres.model.rows import rows_by_table
from tests.support.simulated_stories import Stored, stored_rows

by_name = {projection.name: projection for projection in projections}


class FakeTables:
    """Takes batches; ``stored`` are the rows."""

    def __init__(self) -> None:
        self.stored: Stored = {name: {} for name in by_name}

    def take(self, batch: Sequence[Message]) -> None:
        """Reduce a batch to rows and merge them."""
        for name, rows in stored_rows(rows_by_table(batch)).items():
            if name in by_name:
                for key, row in rows.items():
                    self._merge(by_name[name], key, row)

    def contents(self) -> Stored:
        """The rows without what only the merge needs."""
        return {
            name: {key: _without_stamps(row) for key, row in rows.items()}
            for name, rows in self.stored.items()
        }

    def _merge(self, projection: Projection, key: tuple[Any, ...], row: dict[str, Any]) -> None:
        there = self.stored[projection.name].setdefault(key, row)
        for register in projection.registers:
            stamp = register.stamp.name
            if row[stamp] > there[stamp]:
                there |= {column.name: row[column.name] for column in register.columns}
                there[stamp] = row[stamp]
        for bound in projection.bounds:
            choose = min if bound.takes == "least" else max
            times = [t for t in (there[bound.column], row[bound.column]) if t is not None]
            there[bound.column] = choose(times, default=None)


def _without_stamps(row: Mapping[str, Any]) -> dict[str, Any]:
    return {n: c for n, c in row.items() if not n.endswith("_stamp") and n != "revision"}
