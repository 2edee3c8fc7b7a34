"""Warns, when a role starts, of environment variables that look like settings but are unknown."""

import os
from typing import Final

import structlog
from pydantic_settings import BaseSettings

from ingest.settings import IngestSettings
from ingest.spill.settings import SpillSettings
from operations.components import components
from operations.settings.configured import suggestions
from operations.settings.monitor import MonitorSettings
from runtime.settings import KafkaSettings, WorkerSettings
from zoom.settings import ZoomSettings

product_settings: Final[tuple[type[BaseSettings], ...]] = (
    KafkaSettings,
    WorkerSettings,
    IngestSettings,
    SpillSettings,
    ZoomSettings,
    *(kind for each in components for kind in each.settings if kind is not ZoomSettings),
    MonitorSettings,
)
"""Of the installed product; `operations.reference_docs.command` adds the simulator's."""

log = structlog.get_logger()


def warn_of_unknown_settings() -> None:
    """Warn in one line that names each of them and the most similar setting, but no value."""
    unknown = suggestions(product_settings, os.environ)
    if unknown:
        names = [
            f"{name}, did you mean {near}?" if near else name for name, near in unknown.items()
        ]
        log.warning("unknown settings are ignored", variables=names)
