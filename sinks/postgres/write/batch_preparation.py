"""Pure: converts a batch into COPY and array parameters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from runtime.values import Delivery, Rejection
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.omissions import Omission, omissions_of
from sinks.postgres.model.registry import Message
from sinks.postgres.model.rows import raw_rows_by_table, read_deliveries, rows_by_table
from sinks.postgres.model.tables import Row, Table, Texts, arrays, copied

Treat = Callable[[Iterable[Message]], Sequence[Message]]

least_copied_rows: Final = 300
"""For fewer rows the two statements and the round trips of a COPY do not pay."""


class CopyInsert(NamedTuple):
    """Rows of a table for COPY into its staging table."""

    table: Table
    content: bytes


class ArrayInsert(NamedTuple):
    """Rows of a table as parameters of one statement."""

    table: Table
    arrays: Sequence[bytes]


class Prepared(NamedTuple):
    """A batch, ready to be written. It does not keep the parsed messages, which are much larger.

    ``times_ms`` are those of the events, ``accepted_ms`` their earliest acceptance, in epoch
    milliseconds. ``sanitised`` counts the events that ``jsonb`` could not hold completely;
    ``omissions`` are those of the model.
    """

    rejections: Sequence[Rejection]
    copied: Sequence[CopyInsert]
    passed: Sequence[ArrayInsert]
    times_ms: Sequence[int]
    accepted_ms: int | None
    sanitised: int
    omissions: Sequence[Omission] = ()


class Preparation(NamedTuple):
    """How batches are prepared: what may be stored of them, in which tables, by which statements.

    Without ``projections`` only the raw table is written, which omits nothing. ``staged`` says that
    the session has staging tables.
    """

    treat: Treat
    projections: bool
    staged: bool

    def of(self, deliveries: Iterable[Delivery]) -> Prepared:
        """Return prepared deliveries; where some are rejected, only the rejections."""
        read, rejections = read_deliveries(deliveries)
        if rejections:
            return Prepared(rejections, (), (), (), None, 0)
        messages = self.treat(read)
        copies, passes = self._written(messages)
        events = [each for each in messages if isinstance(each, ParsedEvent)]
        return Prepared(
            (),
            copies,
            passes,
            [event.event_ts_ms for event in events],
            min((event.received_at_ms for event in events), default=None),
            sum(event.content.verbatim is not None for event in events),
            omissions_of(messages) if self.projections else (),
        )

    def messages(self, deliveries: Iterable[Delivery]) -> Sequence[Message]:
        """Return the messages of deliveries, all of which are readable."""
        return self.treat(read_deliveries(deliveries)[0])

    def rows(self, messages: Iterable[Message], table: Table) -> Sequence[Row]:
        """Return the rows of one table."""
        return self._rows_by_table(messages).get(table, ())

    def _rows_by_table(self, messages: Iterable[Message]) -> Mapping[Table, Sequence[Row]]:
        return rows_by_table(messages) if self.projections else raw_rows_by_table(messages)

    def _written(self, messages: Iterable[Message]) -> tuple[list[CopyInsert], list[ArrayInsert]]:
        texts, copies, passes = Texts(), [], []
        for table, rows in self._rows_by_table(messages).items():
            if self.staged and len(rows) >= least_copied_rows:
                copies.append(CopyInsert(table, copied(table, rows, texts)))
            elif rows:
                passes.append(ArrayInsert(table, arrays(table, rows, texts)))
        return copies, passes
