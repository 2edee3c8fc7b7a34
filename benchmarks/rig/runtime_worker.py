"""A worker that measures itself and ends: `python -m benchmarks.rig.runtime_worker`.

It is a worker as in production but for its handler, in a group of its own. The time is from the
first call of the handler to the end of the last, the only line printed one JSON object.
"""

import argparse
import asyncio
import json
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from runtime.component import Component
from runtime.contracts import Handler
from runtime.process.logs import configure_logs
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record

name: Final = "bench"
waits_ms: Final = 6
"""A simulated call takes 0, 1, … or 5 ms."""


def main() -> None:
    """Work and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=works)
    parser.add_argument("source", help="topic to read")
    parser.add_argument("--target", default="", help="topic to produce to")
    parser.add_argument("--records", type=int, required=True, help="so many, then end")
    parser.add_argument("--exact-timers", action="store_true", help="select instead of epoll")
    options = parser.parse_args()
    configure_logs(level="warning")
    span = _Span(options.records)
    component = Component(
        name=name,
        kind="processor",
        reads=lambda *, prefix: (options.source,),  # noqa: ARG005 - a TopicNames has it
        run="benchmarks.rig.runtime_worker:main",
    )
    handler = works[options.work](span, options.target)
    running = run_handler(handler, component, kafka=KafkaSettings(), worker=WorkerSettings())
    with asyncio.Runner(loop_factory=_exact_timers if options.exact_timers else None) as runner:
        runner.run(running)
    print(json.dumps(span.figures()))


def _exact_timers() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are exact to some microseconds.

    Under epoll Python waits in whole milliseconds, rounded up, unless something arrives: a wait for
    1 ms would take up to 2. A real answer arrives when it arrives.
    """
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class _Span:
    """Time and processor time from the first call to the end of the last, which ends the worker."""

    def __init__(self, records: int) -> None:
        self._left = records
        self._begun = self._ended = (0.0, 0.0)
        self._last_offsets: dict[bytes | None, int] = {}
        self._waits_ms: dict[bytes | None, int] = {}
        self._disordered = 0

    def begin(self) -> None:
        if self._begun == (0.0, 0.0):
            self._begun = _now()

    def end(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._ended = _now()
            os.kill(os.getpid(), signal.SIGTERM)

    def waited(self, delivery: Delivery, wait_ms: int) -> None:
        """Note a call, to look at the order in which those of a key end."""
        last = self._last_offsets.get(delivery.key, -1)
        self._disordered += delivery.offset <= last
        self._last_offsets[delivery.key] = delivery.offset
        self._waits_ms[delivery.key] = self._waits_ms.get(delivery.key, 0) + wait_ms

    def figures(self) -> dict[str, float]:
        seconds, cpu_s = (
            after - before for after, before in zip(self._ended, self._begun, strict=True)
        )
        waits_ms = self._waits_ms.values()
        return {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "disordered": self._disordered,
            "longest_key_s": max(waits_ms, default=0) / 1000,
            "all_waits_s": sum(waits_ms) / 1000,
        }


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _nothing(span: _Span, _target: str) -> Handler:
    async def handler(delivery: Delivery) -> Sequence[Record]:  # noqa: ARG001 - the name is agreed
        span.begin()
        span.end()
        return ()

    return handler


def _forward(span: _Span, target: str) -> Handler:
    async def handler(delivery: Delivery) -> Sequence[Record]:
        span.begin()
        span.end()
        return (Record(target, delivery.key, delivery.value, delivery.headers),)

    return handler


def _wait(span: _Span, _target: str) -> Handler:
    rng = Random(1)  # the same waits in each run

    async def handler(delivery: Delivery) -> Sequence[Record]:
        span.begin()
        wait_ms = rng.randrange(waits_ms)
        await asyncio.sleep(wait_ms / 1000)
        span.waited(delivery, wait_ms)
        span.end()
        return ()

    return handler


works: Final[Mapping[str, Callable[[_Span, str], Handler]]] = {
    "nothing": _nothing,
    "forward": _forward,
    "wait": _wait,
}


if __name__ == "__main__":
    main()
