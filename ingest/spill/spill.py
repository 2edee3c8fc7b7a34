"""The spill of a process: stores records while the broker does not accept them."""

from ingest.spill.metrics import metrics
from ingest.spill.writer import SegmentWriter
from runtime.contracts import Settled
from runtime.values import Record


class Spill:
    """Implements `ingest.webhook.pending.SpillPort` by two writers, which have to run."""

    def __init__(self, writer: SegmentWriter, refused_writer: SegmentWriter) -> None:
        self._writer = writer
        self._refused_writer = refused_writer

    @property
    def ready(self) -> bool:
        """Whether a record stored now is likely to be durable in time."""
        return self._writer.is_healthy and not self._writer.is_full

    def store(self, record: Record, settled: Settled) -> None:
        """Store a record without waiting; ``settled`` is called later and once, and must not raise.

        None: the record is durable, and will be produced as it is. TransientError: it is too late,
        too much waits, or the store fails; the record may be produced all the same.
        """
        self._writer.store(record, settled)

    def store_refused(self, record: Record, settled: Settled) -> None:
        """Store a record that no topic accepts, for `zcc spill drain`; else as `store`."""

        def counted(error: Exception | None) -> None:
            if error is None:
                metrics.moved_to_refused.labels("refused").inc()
            settled(error)

        self._refused_writer.store(record, counted)
