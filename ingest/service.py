"""Composition root of ingest: from its settings to a running server.

Run it on uvloop: `uvloop.run(serve(settings, kafka))`.
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

from ingest.app import create_app
from ingest.server import listen, run_server
from ingest.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.garbage import settle_garbage_collection
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings


async def serve(settings: IngestSettings, kafka: KafkaSettings) -> None:
    """Receive webhooks until SIGTERM or SIGINT, then drain and return.

    Cancelling drains too, without the time for balancers to look away.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    clock = SystemClock()
    stopping = asyncio.Event()
    with listen(settings) as listener, _signals_set(stopping):
        async with KafkaPublisher(kafka, client_id="zcc-ingest", clock=clock) as publisher:
            app = create_app(
                settings, kafka=kafka, publisher=publisher, clock=clock, stopping=stopping
            )
            settle_garbage_collection()
            await run_server(app, listener, settings=settings, clock=clock, stopping=stopping)


@contextlib.contextmanager
def _signals_set(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
