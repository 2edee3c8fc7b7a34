from dataclasses import dataclass, field

from runtime.values import Delivery


@dataclass
class Log:
    """The records of a partition, those of ``start`` and later; ``end`` may lie behind a gap."""

    records: list[Delivery] = field(default_factory=list)
    start: int = 0
    end: int = 0
