"""The table of the reference topic on a real broker: `python -m benchmarks.reference_table`.

- cold start: 50,000 users and 2,000 queues, ten versions of each in the topic; seconds until the
  table has caught up, and memory of the process.
- memory: as many users as asked for, one version of each; bytes per 100,000 entities, and what the
  table reckons that they take.
- lookups: microseconds, with the fragment that goes into an event.

Each round is a process of its own. Broker and process share the machine. The last line is one JSON
object; figures are medians of the rounds.
"""

import argparse
import asyncio
import json
import os
import platform
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import islice
from random import Random
from statistics import median
from typing import Final

from benchmarks.contract import commit, machine
from benchmarks.rig.contenders import module
from benchmarks.rig.reference_follower import account_id
from benchmarks.rig.sink_events import connected
from devstack import DevstackOptions, running
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.envelope import JsonObject
from schemas.reference_record import ReferenceKey, Snapshot
from schemas.topics import TopicSpec

users, queues, versions = 50_000, 2_000, 10
memory_entities: Final = 100_000
target_s, target_rss_mib = 10.0, 300.0
_produced_at_once: Final = 4_000
_partitions: Final = 6
_first_ms: Final = 1_767_225_600_000
_letters: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Figures = Mapping[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rounds))))


async def measure(rounds: int) -> Mapping[str, object]:
    """Return the report."""
    async with running(DevstackOptions(directory=None, parts=frozenset({"kafka"}))) as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, replication=1)
        full = await _filled(kafka, snapshots(users, queues, versions))
        cold = _middle([await _followed(kafka, full) for _ in range(rounds)])
        large = await _filled(kafka, snapshots(memory_entities, 0, 1))
        held = _middle([await _followed(kafka, large, "--lookups") for _ in range(rounds)])
    grown_mib = held["rss_mib"] - held["rss_before_mib"]
    return {
        "benchmark": "reference_table",
        "cold_start": {
            **_only(cold, "seconds", "cpu_s", "records", "entities"),
            **_only(cold, "rss_before_mib", "rss_mib", "rss_peak_mib", "table_mib"),
            "target_s": target_s,
            "target_rss_mib": target_rss_mib,
            "met": cold["seconds"] < target_s and cold["rss_peak_mib"] < target_rss_mib,
        },
        "memory": {
            "entities": held["entities"],
            "mib_per_100000_entities": round(grown_mib / held["entities"] * 100_000, 1),
            "reckoned_mib": held["table_mib"],
            "mean_record_bytes": round(_mean_bytes()),
        },
        "lookups_us": _only(held, "first_lookup_us", "lookup_us", "alias_lookup_us"),
        "rounds": rounds,
        "python": platform.python_version(),
        "aiokafka": version("aiokafka"),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "machine": machine(),
        "commit": commit(),
    }


def snapshots(users: int, queues: int, versions: int) -> Iterator[Record]:
    """Yield the records of so many walks over an account, each a day after the one before."""
    for walk in range(versions):
        rng = Random(1)  # the same ids in each walk
        at_ms = _first_ms + walk * 86_400_000
        for number in range(users):
            yield _record("user", _id(rng), at_ms + number // 300, _user(rng, number, walk))
        for number in range(queues):
            yield _record("queue", _id(rng), at_ms + number // 300, _queue(rng, number, walk))


def _record(entity: str, id_: str, as_of_ms: int, state: JsonObject) -> Record:
    snapshot = Snapshot(ReferenceKey(account_id, entity, id_), as_of_ms, state)
    return Record("", snapshot.key.encode(), snapshot.value, snapshot.headers)


def _user(rng: Random, number: int, walk: int) -> JsonObject:
    """Return a state as a walk publishes it."""
    return {
        "user_id": f"example-user-{number}",
        "cc_user_id": _id(rng),
        "display_name": f"Alex Example {number}.{walk}",
        "user_email": f"user.{number}@example.com",
        "role_id": f"example-role-{number % 7}",
        "role_name": f"Example role {number % 7}",
        "user_access": "active",
        "country_iso_code": "US",
        "region_id": f"example-region-{number % 11}",
        "region_name": f"Example region {number % 11}",
        "package_name": "Example package",
        "teams": [
            {"team_id": f"example-team-{team}", "team_name": f"Example team {team}"}
            for team in (number % 90, number % 91)
        ],
    }


def _queue(rng: Random, number: int, walk: int) -> JsonObject:
    return {
        "cc_queue_id": f"example-queue-{number}",
        "queue_id": _id(rng),
        "queue_name": f"Example queue {number}.{walk}",
        "queue_description": "An example of a queue with a description of some length",
        "channel": "voice",
        "channel_types": ["voice"],
        "max_wait_time": 900,
        "wrap_up_time": 300,
        "max_engagement_in_queue": 60,
        "short_abandon": 10,
        "service_level_threshold_in_seconds": 30,
        "service_level_target_in_percentage": 80,
    }


def _id(rng: Random) -> str:
    return "".join(rng.choices(_letters, k=22))


def _mean_bytes() -> float:
    records = list(snapshots(1000, 0, 1))
    return sum(len(each.value or b"") for each in records) / len(records)


async def _filled(kafka: KafkaSettings, records: Iterator[Record]) -> str:
    """Make a topic with these records; nothing is compacted away, the worst case."""
    topic = f"{kafka.topic_prefix}.{uuid.uuid4().hex}.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, _partitions, 1, "delete", -1)])
    async with connected(kafka) as publisher:
        while some := list(islice(records, _produced_at_once)):
            async with asyncio.TaskGroup() as tasks:
                for each in some:
                    record = Record(topic, each.key, each.value, each.headers)
                    tasks.create_task(publisher.publish(record))
    return topic


async def _followed(kafka: KafkaSettings, topic: str, *arguments: str) -> Figures:
    """Follow the topic in a new process.

    Raises:
        RuntimeError: it failed; with the end of its log.
    """
    child = await asyncio.create_subprocess_exec(
        *module("benchmarks.rig.reference_follower", topic, *arguments),
        env={
            **{each: value for each, value in os.environ.items() if not each.startswith("ZCC_")},
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await child.communicate()
    if child.returncode:
        raise RuntimeError(errors.decode(errors="replace")[-2000:])
    figures: Figures = json.loads(printed)
    print(json.dumps(figures), flush=True)
    return figures


def _middle(rounds: Sequence[Figures]) -> Figures:
    return {name: round(median(each[name] for each in rounds), 2) for name in rounds[0]}


def _only(figures: Figures, *names: str) -> Figures:
    return {name: figures[name] for name in names}


if __name__ == "__main__":
    main()
