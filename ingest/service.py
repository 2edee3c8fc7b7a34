"""Composition root of ingest: from its settings to a running server.

Run it on uvloop: `uvloop.run(serve(settings, kafka))`.
"""

import asyncio
from typing import Final

from ingest.decision import Routing
from ingest.present_apps import PresentApps
from ingest.server import listen, run_server
from ingest.settings import IngestSettings
from ingest.spill.service import spilling
from ingest.spill.settings import SpillSettings
from runtime.clock import SystemClock
from runtime.garbage import settle_garbage_collection
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from runtime.signals import hangup_event, stop_event
from runtime.telemetry import process

_connect_s: Final = 2.0


async def serve(
    settings: IngestSettings,
    kafka: KafkaSettings,
    spill_settings: SpillSettings,
    *,
    place: int | None = None,
) -> None:
    """Receive webhooks until SIGTERM or SIGINT, then drain and return.

    ``place`` is the number of this process among several on one port. Cancelling drains too,
    without the time for balancers to look away.

    Raises:
        ConfigurationError: the address cannot be listened on, the file of apps is wrong, or the
            spill's place cannot be used.
    """
    instance = spill_settings.instance_name + ("" if place is None else f"-{place}")
    clock = SystemClock()
    process.started.labels("ingest").set(clock.now().timestamp())
    with stop_event() as stopping, hangup_event() as hangup:
        present = PresentApps(settings.apps, clock=clock)
        async with (
            KafkaPublisher(kafka, client_id="zcc-ingest", clock=clock) as publisher,
            spilling(
                spill_settings,
                instance=instance,
                produce_deadline_s=settings.produce_deadline_s,
                publisher=publisher,
                clock=clock,
            ) as spill,
            asyncio.TaskGroup() as tasks,
        ):
            following = tasks.create_task(present.run(hangup))
            # who shares a port is sent requests as soon as it listens
            await publisher.reached(within_s=_connect_s)
            settle_garbage_collection()
            with listen(settings) as listener:
                await run_server(
                    listener,
                    settings,
                    apps=lambda: present.current,
                    routing=routing_of(settings, kafka),
                    sender=publisher,
                    spill=spill,
                    clock=clock,
                    stopping=stopping,
                )
            following.cancel()


def routing_of(settings: IngestSettings, kafka: KafkaSettings) -> Routing:
    """Return what records depend on beside the request."""
    return Routing(
        topic_prefix=kafka.topic_prefix,
        pseudonym_key=settings.pseudonym_key.get_secret_value().encode(),
        starts_traces=settings.traces_started,
    )
