"""The parts of the product by name, for the command line and for `zcc up`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ProcessorName(StrEnum):
    """Processors that `zcc processor` runs."""

    ENRICHMENT = "enrichment"


class SinkName(StrEnum):
    """Sinks that `zcc sink` runs."""

    POSTGRES = "postgres"
    OBJECT_STORAGE = "object-storage"


class DevstackPart(StrEnum):
    """Real parts that `zcc devstack` starts."""

    KAFKA = "kafka"
    POSTGRES = "postgres"
    S3 = "s3"


class RehearsedAction(StrEnum):
    """What `zcc rehearse` does to a store of a running `zcc up`."""

    STOP = "stop"
    KILL = "kill"
    START = "start"


workers: Final[tuple[str, ...]] = tuple(name.value for name in (*ProcessorName, *SinkName))
"""Every worker; each has a consumer group and a dead-letter topic of its name."""


monitor: Final = "monitor"
"""The part that measures the others from outside."""


@dataclass(frozen=True, slots=True)
class PartName:
    """One process of the product: its name, `zcc` command and the variable of its health port."""

    name: str
    arguments: tuple[str, ...]
    port_variable: str


parts: Final[tuple[PartName, ...]] = (
    PartName("ingest", ("ingest",), "ZCC_INGEST_HEALTH_PORT"),
    *(PartName(name, ("processor", name), "ZCC_WORKER_HEALTH_PORT") for name in ProcessorName),
    *(PartName(name, ("sink", name), "ZCC_WORKER_HEALTH_PORT") for name in SinkName),
    PartName(monitor, ("monitor",), "ZCC_MONITOR_HEALTH_PORT"),
)
"""In the order of the flow, which is also the order in which they drain."""
