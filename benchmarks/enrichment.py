"""What it costs to enrich an event whose names are all known: `python -m benchmarks.enrichment`.

- handler: processor time per event in one process, without a broker; and with no other kinds of
  entities than 0556e3c knew, users and queues.
- worker: events per second and processor time per event of a worker as in production, on a real
  broker, which shares the machine; it reads one topic of one partition and writes another.

The events are those of a made-up company, as ingest writes them; each measurement is a process of
its own. To compare with commit 0556e3c, copy this file and the three `rig/enrichment_*.py` into a
checkout of it, then `python -m benchmarks.builds --other DIR --what enrichment`. The last line is
one JSON object; figures are medians of the rounds.
"""

import argparse
import asyncio
import json
import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from statistics import median
from typing import Final

from benchmarks.contract import commit, machine
from benchmarks.rig.contenders import module
from benchmarks.rig.sink_events import connected
from benchmarks.runtime import some_events
from devstack import DevstackOptions, running
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec, dead_letter_topic, enriched_topic, raw_topic

_family: Final = "engagement"
"""All events go through the topics of one family: the handler does not mind."""
_two_kinds: Final = {"ZCC_ENRICHMENT_ENTITIES": "user,queue"}
_produced_at_once: Final = 2_000

Figures = Mapping[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=60_000, help="for the worker; 0: leave out")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rounds, options.records))))


async def measure(rounds: int, records: int) -> Mapping[str, object]:
    """Return the report."""
    events = some_events()
    report: dict[str, object] = {
        "benchmark": "enrichment",
        "handler": await _handler({}, rounds),
        "handler_of_two_kinds": await _handler(_two_kinds, rounds),
    }
    if records:
        report["worker"] = await _workers(events, records, rounds)
    return {
        **report,
        "mean_body_bytes": round(sum(len(each.value or b"") for each in events) / len(events)),
        "records": records,
        "rounds": rounds,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }


async def _handler(environment: Mapping[str, str], rounds: int) -> Figures:
    each = [await _measured(environment, "handler") for _ in range(rounds)]
    return {figure: _middle(each, figure) for figure in ("cpu_us_per_event", "names_per_event")}


async def _workers(events: Sequence[Record], records: int, rounds: int) -> Figures:
    prefix = f"bench-{uuid.uuid4().hex}"
    async with running(DevstackOptions(directory=None, parts=frozenset({"kafka"}))) as stack:
        kafka = KafkaSettings(
            bootstrap_servers=stack.bootstrap_servers, replication=1, topic_prefix=prefix
        )
        names = [f"enrichment-{number}" for number in range(rounds)]
        source, target = (name(_family, prefix=prefix) for name in (raw_topic, enriched_topic))
        topics = [source, target, *(dead_letter_topic(each, prefix=prefix) for each in names)]
        async with TopicAdmin(kafka) as admin:
            await admin.apply([TopicSpec(each, 1, 1, "delete", -1) for each in topics])
        await _fill(kafka, source, list(islice(cycle(events), records)))
        environment = {
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "ZCC_KAFKA_TOPIC_PREFIX": prefix,
            "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
            "ZCC_WORKER_HEALTH_PORT": "0",
        }
        worker = [
            await _measured(environment, "worker", "--name", name, "--records", str(records))
            for name in names
        ]
    return {
        "events_per_s": round(records / _middle(worker, "seconds")),
        "cpu_us_per_event": round(_middle(worker, "cpu_s") / records * 1e6, 2),
    }


async def _fill(kafka: KafkaSettings, topic: str, records: Sequence[Record]) -> None:
    async with connected(kafka) as publisher:
        for first in range(0, len(records), _produced_at_once):
            async with asyncio.TaskGroup() as tasks:
                for each in records[first : first + _produced_at_once]:
                    record = Record(topic, each.key, each.value, each.headers)
                    tasks.create_task(publisher.publish(record))


async def _measured(environment: Mapping[str, str], *arguments: str) -> Figures:
    """Return what a process of its own has measured.

    Raises:
        RuntimeError: it failed; with the end of its log.
    """
    others = {each: value for each, value in os.environ.items() if not each.startswith("ZCC_")}
    child = await asyncio.create_subprocess_exec(
        *module("benchmarks.rig.enrichment_worker", *arguments),
        env={**others, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await child.communicate()
    if child.returncode:
        raise RuntimeError(errors.decode(errors="replace")[-2000:])
    figures: Figures = json.loads(printed.splitlines()[-1])
    print(json.dumps({"work": arguments[0], **figures}), flush=True)
    return figures


def _middle(rounds: Sequence[Figures], figure: str) -> float:
    return round(median(each[figure] for each in rounds), 3)


if __name__ == "__main__":
    main()
