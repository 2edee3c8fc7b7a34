"""Enriches events, measures itself and ends: `python -m benchmarks.rig.enrichment_worker`.

`handler` calls the handler for each event in turn. `worker` reads so many from Kafka; its time is
from the first call of the handler to the end of the last. The only line printed is one JSON object.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from benchmarks.runtime import some_events
from runtime.settings import KafkaSettings
from runtime.values import Delivery

try:
    from benchmarks.rig import enrichment_now as build
except ImportError:  # a checkout of 0556e3c
    from benchmarks.rig import enrichment_before as build

_warming: Final = 20
"""Passes over the events before any is measured: of each kind the first hundred cost more."""
_measured: Final = 5

Handler = Callable[[Delivery], Awaitable[Any]]


def main() -> None:
    """Work and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("handler", "worker"))
    parser.add_argument("--name", default="enrichment", help="of the worker")
    parser.add_argument("--records", type=int, default=0, help="so many, then end")
    options = parser.parse_args()
    if options.work == "handler":
        print(json.dumps(asyncio.run(_handler())))
    else:
        print(json.dumps(asyncio.run(_worker(options.name, options.records))))


async def _handler() -> dict[str, float]:
    deliveries = [_as_read(each) for each in some_events()]
    async with build.opened(deliveries, prefix="zcc") as handler:
        for _ in range(_warming):
            await _pass(handler, deliveries)
        gc.collect()
        gc.freeze()
        spent_s = [await _pass(handler, deliveries) for _ in range(_measured)]
    return {
        "cpu_us_per_event": min(spent_s) / len(deliveries) * 1e6,
        "names_per_event": round(sum(map(build.names, deliveries)) / len(deliveries), 2),
    }


async def _pass(handler: Handler, deliveries: Sequence[Delivery]) -> float:
    """Return the processor time of one pass.

    Raises:
        RuntimeError: an event is not complete.
    """
    before = time.process_time()
    for delivery in deliveries:
        is_complete = isinstance(await handler(delivery), tuple)
        if not is_complete:
            raise RuntimeError("names are missing: the table is not warm")
    return time.process_time() - before


async def _worker(name: str, records: int) -> dict[str, float]:
    left = records
    begun = ended = (0.0, 0.0)
    deliveries = [_as_read(each) for each in some_events()]
    kafka = KafkaSettings()
    async with build.opened(deliveries, prefix=kafka.topic_prefix) as handler:

        async def handle(delivery: Delivery) -> object:
            nonlocal left, begun, ended
            if left == records:
                begun = _now()
            result = await handler(delivery)
            left -= 1
            if left == 0:
                ended = _now()
                os.kill(os.getpid(), signal.SIGTERM)
            return result

        await build.run(handle, name=name, kafka=kafka)
    seconds, cpu_s = (after - before for after, before in zip(ended, begun, strict=True))
    return {"seconds": seconds, "cpu_s": cpu_s}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _as_read(record: Any) -> Delivery:  # noqa: ANN401 - a Record, here and in another checkout
    return Delivery(record.topic, 0, 0, record.key, record.value, record.headers, 1)


if __name__ == "__main__":
    main()
