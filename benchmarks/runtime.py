"""The runtime on a real broker, and what its machines cost: `python -m benchmarks.runtime`.

- keyed: 10,000 records on one partition, each a call of 0 to 5 ms, one at a time per key, 100 at
  once; 20, 100 and 1,000 keys.
- overhead: a handler that does nothing, and one that hands each record on, over events as ingest
  writes them.
- machines: microseconds per record of each pure machine.

A worker is a process of its own, new for each round. Broker and worker share the machine. The last
line is one JSON object; figures are medians of the rounds.
"""

import argparse
import asyncio
import json
import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import cycle, islice
from statistics import median
from typing import Final

from benchmarks.contract import commit, machine
from benchmarks.rig.contenders import module
from benchmarks.rig.runtime_machines import machines_us
from benchmarks.rig.runtime_worker import name
from benchmarks.rig.sink_events import connected
from devstack import DevstackOptions, running
from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from runtime.kafka import TopicAdmin
from runtime.process.gc_tuning import tune_gc
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.topics import TopicSpec, dead_letter_topic
from simulator.company import make_company
from simulator.stories import event_stream

keyed_records: Final = 10_000
in_flight: Final = WorkerSettings().concurrency
target_s: Final = {20: 1.5, 100: 0.5, 1000: 0.5}
target_records_per_s: Final = {"nothing": 40_000, "forward": 20_000}
flat_factor, flat_us = 2.0, 1.0
"""A machine is not flat where with the most keys a record costs both so many times as much as with
one and so much more."""

_peer: Final = {
    "name": "Confluent Parallel Consumer 0.5.3",
    "seconds": {"20": 2.06, "100": 0.75, "1000": 0.75},
    "source": "measured by this project with the same work on two cores, which the broker shares",
}
_produced_at_once: Final = 2_000

Figures = Mapping[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=200_000, help="for the overhead")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rounds, options.records))))


async def measure(rounds: int, records: int) -> Mapping[str, object]:
    """Return the report."""
    events = some_events()
    async with running(DevstackOptions(directory=None, parts=frozenset({"kafka"}))) as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, replication=1)
        keyed = {str(keys): await _keyed(kafka, keys, rounds) for keys in target_s}
        overhead = await _overhead(kafka, events, records, rounds)
    tune_gc()
    machines = machines_us(_as_read(events[0]))
    return {
        "benchmark": "runtime",
        "keyed": keyed,
        "keyed_work": {"records": keyed_records, "in_flight": in_flight, "peer": _peer},
        "overhead": overhead,
        "machines_us": machines,
        "machines_flat": {each: _is_flat(prices) for each, prices in machines.items()},
        "rounds": rounds,
        "python": platform.python_version(),
        "aiokafka": version("aiokafka"),
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }


def some_events() -> Sequence[Record]:
    """Return events of a made-up company as ingest writes them."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    routing = RoutingSettings("zcc", b"pseudonym-key-of-a-benchmark")
    stream = event_stream(make_company(1), seed=1, start=start, count=5_000)
    requests = (SignedRequest("default", each.body, b"secret", 1) for each in stream)
    decisions = (decide(request, routing) for request in requests)
    return [decision.record for decision in decisions if isinstance(decision, RoutedEvent)]


def _as_read(record: Record) -> Delivery:
    return Delivery(record.topic, 0, 0, record.key, record.value, record.headers, 1)


async def _keyed(kafka: KafkaSettings, keys: int, rounds: int) -> Mapping[str, object]:
    """Return seconds with exact timers, and those of the loop that workers run on."""
    topic = await _filled(
        kafka, [Record("", b"k%d" % (n % keys), b"v%d" % n) for n in range(keyed_records)]
    )
    work = ("wait", topic, "--records", str(keyed_records))
    exact = [await _worked(kafka, *work, "--exact-timers") for _ in range(rounds)]
    epoll = [await _worked(kafka, *work) for _ in range(rounds)]
    seconds = _middle(exact, "seconds")
    disordered = sum(each["disordered"] for each in (*exact, *epoll))
    return {
        "seconds": seconds,
        "seconds_by_round": [round(each["seconds"], 3) for each in exact],
        "seconds_with_timers_of_whole_ms": _middle(epoll, "seconds"),
        "ideal_s": _middle([_ideal(each) for each in exact], "seconds"),
        "disordered": disordered,
        "target_s": target_s[keys],
        "met": seconds < target_s[keys] and not disordered,
    }


def _ideal(worked: Figures) -> Figures:
    """Return the time of the longest key, or of all waits where so many can go on at once."""
    return {"seconds": max(worked["longest_key_s"], worked["all_waits_s"] / in_flight)}


async def _overhead(
    kafka: KafkaSettings, events: Sequence[Record], count: int, rounds: int
) -> Mapping[str, object]:
    topic, target = (
        await _filled(kafka, list(islice(cycle(events), count))),
        await _filled(kafka, []),
    )
    counted = ("--records", str(count))
    nothing = [await _worked(kafka, "nothing", topic, *counted) for _ in range(rounds)]
    forward = [
        await _worked(kafka, "forward", topic, "--target", target, *counted) for _ in range(rounds)
    ]
    figures = {"nothing": _rates(nothing, count), "forward": _rates(forward, count)}
    return {
        **figures,
        "records": count,
        "mean_record_bytes": round(sum(_as_read(each).size_bytes for each in events) / len(events)),
        "target_records_per_s": target_records_per_s,
        "met": all(
            figures[work]["records_per_s"] >= target
            for work, target in target_records_per_s.items()
        ),
    }


def _rates(rounds: Sequence[Figures], count: int) -> Figures:
    return {
        "records_per_s": round(count / _middle(rounds, "seconds")),
        "cpu_us_per_record": round(_middle(rounds, "cpu_s") / count * 1e6, 2),
    }


def _middle(rounds: Sequence[Figures], figure: str) -> float:
    return round(median(each[figure] for each in rounds), 3)


def _is_flat(prices: Figures) -> bool:
    with_one, *_, with_most = prices.values()
    return with_most < max(flat_factor * with_one, with_one + flat_us)


async def _filled(kafka: KafkaSettings, records: Sequence[Record]) -> str:
    """Make a topic of one partition with these records, whatever topic they name."""
    topic = f"{kafka.topic_prefix}.{uuid.uuid4().hex}.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, 1, 1, "delete", -1)])
    async with connected(kafka) as publisher:
        for first in range(0, len(records), _produced_at_once):
            async with asyncio.TaskGroup() as tasks:
                for each in records[first : first + _produced_at_once]:
                    record = Record(topic, each.key, each.value, each.headers)
                    tasks.create_task(publisher.publish(record))
    return topic


async def _worked(kafka: KafkaSettings, *arguments: str) -> Figures:
    """Run a worker to the end, as a new group.

    Raises:
        RuntimeError: it failed; with the end of its log.
    """
    prefix = f"bench-{uuid.uuid4().hex}"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(dead_letter_topic(name, prefix=prefix), 1, 1, "delete", -1)])
    child = await asyncio.create_subprocess_exec(
        *module("benchmarks.rig.runtime_worker", *arguments),
        env={
            **{each: value for each, value in os.environ.items() if not each.startswith("ZCC_")},
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "ZCC_KAFKA_TOPIC_PREFIX": prefix,
            "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
            "ZCC_WORKER_HEALTH_PORT": "0",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await child.communicate()
    if child.returncode:
        raise RuntimeError(errors.decode(errors="replace")[-2000:])
    figures: Figures = json.loads(printed)
    print(json.dumps({"work": arguments[0], **figures}), flush=True)
    return figures


if __name__ == "__main__":
    main()
