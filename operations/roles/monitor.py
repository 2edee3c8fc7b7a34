"""`zcc monitor`: how far the groups are behind, for Prometheus."""

import asyncio

from operations.lag.monitor import run
from operations.settings.loading import read_settings
from operations.settings.monitor import MonitorSettings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.clock import SystemClock
from runtime.settings import KafkaSettings


def monitor() -> None:
    """Measure lag and dead letters at the brokers, for Prometheus."""
    warn_of_unknown_settings()
    settings, kafka = read_settings(MonitorSettings), read_settings(KafkaSettings)
    asyncio.run(run(settings, kafka, clock=SystemClock()))
