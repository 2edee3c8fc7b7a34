"""Every metric of the product, for the reference page and for tests."""

from typing import Final, NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from ingest.metrics import metrics as ingest
from ingest.spill.metrics import metrics as spill
from operations.lag.metrics import metrics as monitor
from processors.enrichment.metrics import drift
from processors.enrichment.metrics import metrics as enrichment
from runtime.metrics import poller, process, publisher, worker
from sinks.object_storage.metrics import metrics as object_storage
from sinks.postgres.metrics import metrics as postgres
from zoom.metrics import metrics as zoom

groups: Final = (
    *(process, ingest, spill, publisher, worker, poller, enrichment, drift, zoom, postgres),
    object_storage,
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
    found = []
    for group in groups:
        for metric in vars(type(group)).values():
            if isinstance(metric, MetricWrapperBase):
                description = next(iter(metric.describe()))
                total_suffix = "_total" if description.type == "counter" else ""
                found.append(
                    MetricEntry(
                        f"{description.name}{total_suffix}",
                        description.type,
                        metric._labelnames,  # noqa: SLF001 - the library offers no other way
                        description.documentation,
                    )
                )
    return tuple(found)
