"""Tells of environment variables that look like settings and are none, as a role starts."""

import os
from typing import Final

import structlog
from pydantic_settings import BaseSettings

from ingest.settings import IngestSettings
from ingest.spill.settings import SpillSettings
from operations.settings.configured import suggestions
from operations.settings.monitor import MonitorSettings
from processors.enrichment.settings import EnrichmentSettings
from runtime.settings import KafkaSettings, WorkerSettings
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.settings import PostgresSettings
from zoom.settings import ZoomSettings

product_settings: Final[tuple[type[BaseSettings], ...]] = (
    KafkaSettings,
    WorkerSettings,
    IngestSettings,
    SpillSettings,
    ZoomSettings,
    EnrichmentSettings,
    PostgresSettings,
    ObjectStorageSettings,
    MonitorSettings,
)
"""Of the installed product; `operations.reference_docs.command` has the simulator's besides."""

log = structlog.get_logger()


def warn_of_unknown_settings() -> None:
    """Warn in one line that names each of them, and the setting that it is most like.

    What they hold is not told.
    """
    unknown = suggestions(product_settings, os.environ)
    if unknown:
        told = [f"{name}, did you mean {near}?" if near else name for name, near in unknown.items()]
        log.warning("unknown settings are ignored", variables=told)
