"""Composition root of ingest: from its settings to a running server.

Run it on uvloop: `uvloop.run(serve(settings, kafka))`.
"""

from ingest.app import create_app
from ingest.server import listen, run_server
from ingest.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.garbage import settle_garbage_collection
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from runtime.signals import stop_event


async def serve(settings: IngestSettings, kafka: KafkaSettings) -> None:
    """Receive webhooks until SIGTERM or SIGINT, then drain and return.

    Cancelling drains too, without the time for balancers to look away.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    clock = SystemClock()
    with listen(settings) as listener, stop_event() as stopping:
        async with KafkaPublisher(kafka, client_id="zcc-ingest", clock=clock) as publisher:
            app = create_app(
                settings, kafka=kafka, publisher=publisher, clock=clock, stopping=stopping
            )
            settle_garbage_collection()
            await run_server(app, listener, settings=settings, clock=clock, stopping=stopping)
