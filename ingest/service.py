"""Composition root of ingest: from its settings to a running server.

Run it on uvloop: `uvloop.run(serve(settings, kafka))`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from ingest.apps.reloading import ReloadingApps
from ingest.health import Health, health_setting
from ingest.initial_metrics import create_app_series
from ingest.listen_socket import bound_socket, listen
from ingest.server import run_server
from ingest.settings import IngestSettings
from ingest.spill.service import spilling
from ingest.spill.settings import SpillSettings
from ingest.supervisor import ParentLink
from ingest.webhook.routing import RoutingSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher
from runtime.metrics import process
from runtime.process.gc_tuning import tune_gc
from runtime.process.health import serving_health
from runtime.process.signals import hangup_event, stop_event
from runtime.settings import KafkaSettings

_connect_s: Final = 2.0

_log = structlog.get_logger()


async def serve(
    settings: IngestSettings,
    kafka: KafkaSettings,
    spill_settings: SpillSettings,
    *,
    followed: ParentLink | None = None,
) -> None:
    """Receive webhooks until SIGTERM or SIGINT, then drain and return.

    ``followed`` is the parent of several processes on one port, which then reports their health.
    Cancelling drains too, without the time for balancers to see ``/readyz``.

    Raises:
        ConfigurationError: an address cannot be listened on, the file of apps is wrong, or the
            store of the spill cannot be used.
    """
    instance = spill_settings.instance_name + (f"-{followed.number}" if followed else "")
    clock = SystemClock()
    process.started.labels("ingest").set(clock.now().timestamp())
    with stop_event() as stopping, hangup_event() as hangup, bound_socket(settings) as listener:
        apps = ReloadingApps(settings.apps, clock=clock, create_series=create_app_series)
        async with (
            _health(settings, followed) as health,
            KafkaPublisher(kafka, client_id="zcc-ingest", clock=clock) as publisher,
            spilling(
                spill_settings,
                instance=instance,
                produce_deadline_s=settings.produce_deadline_s,
                publisher=publisher,
                clock=clock,
            ) as spill,
        ):
            # A process that shares a port gets requests as soon as it listens.
            await publisher.reached(within_s=_connect_s)
            tune_gc()
            listen(listener, settings)
            async with BackgroundTasks() as background:
                background.start(apps.run(hangup))
                await run_server(
                    listener,
                    settings,
                    apps=lambda: apps.current,
                    routing=routing_of(settings, kafka),
                    sender=publisher,
                    spill=spill,
                    clock=clock,
                    stopping=stopping,
                    health=health,
                )


@asynccontextmanager
async def _health(settings: IngestSettings, followed: ParentLink | None) -> AsyncIterator[Health]:
    """Serve the health of this process, or report it to the parent, which does."""
    if followed is not None:
        yield Health(followed.pipe)
        return
    health = Health()
    async with serving_health(
        settings.health_host,
        settings.health_port,
        alive=lambda: None,  # a process that answers is alive
        ready=health.readiness_problem,
        setting=health_setting,
    ) as port:
        _log.info("health listening", host=settings.health_host, port=port)
        yield health


def routing_of(settings: IngestSettings, kafka: KafkaSettings) -> RoutingSettings:
    """Return the settings that a record depends on."""
    return RoutingSettings(
        topic_prefix=kafka.topic_prefix,
        pseudonym_key=settings.pseudonym_key.get_secret_value().encode(),
        starts_traces=settings.traces_started,
    )
