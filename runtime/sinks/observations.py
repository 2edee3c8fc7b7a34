"""Pure: the observations that the driver of a sink's member reports to `SinkPhase`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runtime.values import Span, TopicPartition


class PlannedSpan(NamedTuple):
    """A span that may be stored in part, and has to be stored whole before anything behind it."""

    source: TopicPartition
    span: Span


@dataclass(frozen=True, slots=True)
class PartitionsAssigned:
    """The group has assigned partitions; the earlier assignment has ended."""


@dataclass(frozen=True, slots=True)
class PartitionsRevoked:
    """The group takes all partitions back."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The process ends."""


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A take-over, or the storing of the batch that was ready, is under way."""


@dataclass(frozen=True, slots=True)
class TryFailed:
    """The call has failed; it tries again after a delay."""


@dataclass(frozen=True, slots=True)
class TryBegan:
    """The delay is over."""


@dataclass(frozen=True, slots=True)
class TookOver:
    """The call has ended: the sink has said where to start."""

    plans: Sequence[PlannedSpan] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The call has ended: the batch is stored and committed."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The abandoned call has ended."""


@dataclass(frozen=True, slots=True)
class CollectingBegan:
    """Records can be collected; ``due`` at once where none of the planned span exist any more."""

    now_s: float
    due: bool = False


@dataclass(frozen=True, slots=True)
class Polled:
    """The number of collected records; ``due`` as in `Batcher.due`."""

    now_s: float
    records: int
    due: bool


@dataclass(frozen=True, slots=True)
class BatchPrepared:
    """A batch is taken and ready to be written; ``records`` stay collected."""

    records: int = 0


OwnershipChange = PartitionsAssigned | PartitionsRevoked | StopRequested
CallEvent = CallBegan | TryFailed | TryBegan | TookOver | Stored | GaveUp
CollectingEvent = CollectingBegan | Polled | BatchPrepared
Observation = OwnershipChange | CallEvent | CollectingEvent
