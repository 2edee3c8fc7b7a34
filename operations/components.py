"""All components of the product: the one list that names them, and the processes that run them.

A processor or a sink is added by one line in ``_modules``. The command line, lag, topics, dead
letters, `zcc doctor`, `zcc up`, the files in ``deploy/`` and the reference pages follow from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from runtime.component import Component
from runtime.lazy import load
from schemas.topics import Workers

_modules: Final = (
    "processors.reference.component",
    "processors.reference.changes.component",
    "processors.enrichment.component",
    "processors.outcomes.component",
    "sinks.postgres.component",
    "sinks.object_storage.component",
)
"""In the order of the flow."""


_by_module: Final = {module: cast("Component", load(f"{module}:component")) for module in _modules}

components: Final = tuple(_by_module.values())

sources: Final[Mapping[str, str]] = {
    each.name: f"{module.replace('.', '/')}.py" for module, each in _by_module.items()
}
"""Where each component is described: paths from the root."""

by_name: Final[Mapping[str, Component]] = {each.name: each for each in components}

workers: Final[Workers] = {each.name: each.retry_delays_s for each in components if not each.polls}
"""The workers that Kafka feeds, with their retry delays; each has a topic of dead letters."""

pollers: Final = tuple(each.name for each in components if each.polls)
"""The other components; each has a topic of watermarks."""

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
    *(PartName(each.name, each.command, "ZCC_WORKER_HEALTH_PORT") for each in components),
    PartName(monitor, ("monitor",), "ZCC_MONITOR_HEALTH_PORT"),
)
"""In the order of the flow, which is also the order in which they drain."""
