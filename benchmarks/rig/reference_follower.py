"""A table that measures itself: `python -m benchmarks.rig.reference_follower`.

It follows a topic as a worker does until it has caught up, and prints one JSON object.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import orjson

from processors.entities.fields import Fragment
from processors.entities.table import ReferenceTable
from runtime.clock import SystemClock
from runtime.kafka import KafkaLogReader
from runtime.process.gc_tuning import for_requests, tune_gc
from runtime.process.logs import configure_logs
from runtime.service import run_handler
from runtime.settings import KafkaSettings
from runtime.tables.follower import FollowedTable, TableFollower
from runtime.tables.following import FollowedTables
from schemas.envelope import JsonObject

account_id: Final = "example-account"
kinds: Final = ("user", "queue")
_lookups: Final = 100_000
_mib: Final = 1024 * 1024


def main() -> None:
    """Follow and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic")
    parser.add_argument("--limit-mib", type=int, default=1024)
    parser.add_argument("--lookups", action="store_true", help="measure lookups as well")
    options = parser.parse_args()
    configure_logs(level="warning")
    assert run_handler is not None  # imported so that the memory is that of a worker
    table = ReferenceTable(options.limit_mib * _mib, kinds=kinds, aliases=aliases)
    tune_gc(for_requests)
    before_mib = memory_mib()
    began, began_cpu = time.perf_counter(), time.process_time()
    records = asyncio.run(follow(options.topic, table))
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - began_cpu,
        "records": records,
        "entities": len(table),
        "table_mib": table.size_bytes / _mib,
        "rss_before_mib": before_mib["VmRSS"],
        "rss_mib": memory_mib()["VmRSS"],
        "rss_peak_mib": memory_mib()["VmHWM"],
        "evicted": table.evicted_count,
    }
    print(json.dumps(figures | (looked_up(table) if options.lookups else {})))


async def follow(topic: str, table: ReferenceTable) -> int:
    """Follow the topic until the table has caught up; return how many records were taken."""
    clock = SystemClock()
    connect = partial(KafkaLogReader, KafkaSettings(), topic, client_id="bench", clock=clock)
    follower = TableFollower(
        FollowedTable(topic, table), connect, worker="bench", clock=clock, rng=Random(1)
    )
    async with FollowedTables([follower], worker="bench", clock=clock) as tables:
        await tables.wait(asyncio.Event(), without_progress_s=60)
        assert follower.caught_up
    return follower.taken_count


def aliases(entity: str, id_: str, state: JsonObject) -> Iterable[str]:
    """Return the other ids of a user or a queue."""
    if entity == "user":
        return (id_.lower(), str(state["cc_user_id"]))
    return (str(state["queue_id"]),)


def looked_up(table: ReferenceTable) -> Mapping[str, float]:
    """Return microseconds of a lookup with its fragment: the first of an entity, and later ones."""
    ids = list(table.ids(account_id, "user"))[:_lookups]

    def spent_us(names: list[str]) -> float:
        began = time.process_time()
        for name in names:
            entry = table.get(account_id, "user", name)
            assert entry is not None
            entry.fragment(_name_of)
        return (time.process_time() - began) / len(names) * 1e6

    return {
        "first_lookup_us": spent_us(ids),
        "lookup_us": spent_us(ids),
        "alias_lookup_us": spent_us([name.lower() for name in ids]),
    }


def _name_of(state: JsonObject) -> Fragment:
    return Fragment(orjson.dumps({"display_name": state["display_name"]}), b"")


def memory_mib() -> Mapping[str, float]:
    """Return the memory of this process, as Linux names it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = (line.split() for line in lines if line.startswith(("VmRSS", "VmHWM")))
    return {name.rstrip(":"): int(kib) / 1024 for name, kib, _ in sizes}


if __name__ == "__main__":
    main()
