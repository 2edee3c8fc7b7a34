"""Pure: decides when objects are closed, and which."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from runtime.values import BatchLimits, Collected, TopicPartition

_least_share_of_age: Final = 0.5
"""When an object has reached its age, those below this share of it stay open: a partition whose
first record has just come would get an object of one record. Older ones are closed along with it,
so that batches by age come at most twice within the age, however many partitions there are."""


@dataclass(frozen=True, slots=True)
class Rotation(BatchLimits):
    """Closes objects by the age of their first record, and all of them where too much is held."""

    def chosen(
        self, collected: Mapping[TopicPartition, Collected], now_s: float
    ) -> Collection[TopicPartition]:
        """See `runtime.values.BatchLimits.chosen`."""
        records = sum(each.records for each in collected.values())
        size_bytes = sum(each.size_bytes for each in collected.values())
        if records >= self.records or size_bytes >= self.size_bytes:
            return collected.keys()
        least_s = self.age_s * _least_share_of_age
        return {source for source, each in collected.items() if now_s - each.since_s >= least_s}
