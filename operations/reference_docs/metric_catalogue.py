"""Every metric of the product, for the reference page and for tests."""

from typing import Final, NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from ingest.metrics import metrics as ingest
from ingest.spill.metrics import metrics as spill
from operations.components import components
from operations.lag.metrics import metrics as monitor
from runtime.lazy import load
from runtime.metrics import poller, process, publisher, table, worker

groups: Final = (
    *(process, ingest, spill, publisher, worker, poller, table),
    *dict.fromkeys(load(reference) for each in components for reference in each.metrics),
    monitor,
)
"""Each holds its metrics as attributes of its class."""


class MetricEntry(NamedTuple):
    """One metric for the reference page and for tests."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def catalogue() -> tuple[MetricEntry, ...]:
    """Return every metric of the list above, under the name that queries use."""
    entries = []
    for group in groups:
        for metric in vars(type(group)).values():
            if isinstance(metric, MetricWrapperBase):
                description = next(iter(metric.describe()))
                total_suffix = "_total" if description.type == "counter" else ""
                entries.append(
                    MetricEntry(
                        f"{description.name}{total_suffix}",
                        description.type,
                        metric._labelnames,  # noqa: SLF001 - the library offers no other way
                        description.documentation,
                    )
                )
    return tuple(entries)
