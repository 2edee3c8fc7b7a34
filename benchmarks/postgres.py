"""The Postgres sink on a real broker and a real database: `python -m benchmarks.postgres`.

- throughput: 200,000 events from 4 partitions, with all projections and raw only, against psycopg's
  executemany and, with ``--peer bento --bento PROGRAM``, Bento's sql_insert. From the first visible
  row to the last. Each contender is a process of its own with an empty table, new for each round.
- flat: the same with all projections where the tables already hold many rows (``--held``).
- latency: at 500 events/s, from the broker's append to the commit that makes the row visible, by
  the commit timestamps of Postgres, after the seconds that the sink takes to start.

Broker, database and contender share the machine. The last line is one JSON object; figures are
medians of the rounds.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import psutil
import psycopg

from benchmarks.contract import commit, machine
from benchmarks.rig.contenders import cpu_s, module, process
from benchmarks.rig.sink_events import as_new, connected, events, fill
from devstack import DevstackOptions, running
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.topics import TopicSpec, dead_letter_topic
from sinks.postgres.migrate import migrate

target_raw_per_s: Final = 25_000
target_all_per_s: Final = 15_000
target_p99_ms: Final = 300
target_rss_mib: Final = 200

_partitions: Final = 4
_deadline_s: Final = 300.0
_poll_interval_s: Final = 0.1
_latency_rate: Final = 500
_latency_s: Final = 30
_latency_start_s: Final = 10

_peer_table: Final = """
drop table if exists public.evb;
create table public.evb (event_id text primary key, event_type text, event_ts timestamptz,
    account_id text, topic text, part int, off bigint, payload jsonb)
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """The running servers, and the records that are on the topic."""

    kafka: KafkaSettings
    dsn: str
    topic: str
    events: int
    bento: str
    folder: Path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--held", type=int, default=0, help="rows held already, for the flat run")
    parser.add_argument("--peer", choices=("bento",))
    parser.add_argument("--bento", default="bento", help="the program")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options))))


async def measure(options: argparse.Namespace) -> Mapping[str, object]:
    """Return the report."""
    parts = DevstackOptions(directory=None, parts=frozenset({"kafka", "postgres"}))
    with tempfile.TemporaryDirectory() as folder:
        async with running(parts) as stack:
            kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, replication=1)
            topic = "sinkbench"
            await _make_topic(kafka, topic)
            filled = await fill(kafka, topic, options.events)
            setup = Setup(
                kafka, stack.postgres_dsn, topic, filled["events"], options.bento, Path(folder)
            )
            names = ["all", "raw", "executemany", *([options.peer] if options.peer else [])]
            rounds = [
                {name: await _throughput(setup, name) for name in names}
                for _ in range(options.rounds)
            ]
            latency = await _latency(setup)
            flat = await _flat(setup, options.held) if options.held else None
            server = await _server(setup.dsn)
    throughput = {name: _middle([each[name] for each in rounds]) for name in names}
    return {
        "benchmark": "postgres",
        "work": {**filled, "partitions": _partitions},
        "throughput": throughput,
        "latency": latency,
        "flat": flat,
        "targets": {
            "raw_rows_per_s": target_raw_per_s,
            "all_events_per_s": target_all_per_s,
            "p99_ms": target_p99_ms,
            "rss_mib": target_rss_mib,
        },
        "rounds": options.rounds,
        "python": platform.python_version(),
        "psycopg": version("psycopg"),
        "postgres": server,
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }


async def _make_topic(kafka: KafkaSettings, name: str) -> None:
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(name, _partitions, 1, "delete", -1)])


async def _new_group(kafka: KafkaSettings) -> str:
    """Return a prefix nobody has used, with a topic for its dead letters; it names the group."""
    prefix = f"bench{uuid.uuid4().hex[:8]}"
    await _make_topic(kafka, dead_letter_topic("postgres", prefix=prefix))
    return prefix


async def _throughput(setup: Setup, name: str, *, empty: bool = True) -> Mapping[str, float]:
    """Let one contender store the whole topic; return its figures."""
    if empty:
        await asyncio.to_thread(_emptied, setup.dsn)
    group = await _new_group(setup.kafka)
    async with (
        process(_command(setup, name), _environment(setup, group), setup.folder / "log") as worker,
        await psycopg.AsyncConnection.connect(setup.dsn, autocommit=True) as connection,
    ):
        database = _database()
        first = await _until(connection, _progress(name), 1)
        begun = (cpu_s(_family(worker)), cpu_s(database))
        start = time.perf_counter()
        await _until(connection, _progress(name), setup.events)
        seconds = time.perf_counter() - start
        spent = (cpu_s(_family(worker)), cpu_s(_database()))
        rss = max(each.memory_info().rss for each in _family(worker))
    stored = setup.events - first
    return {
        "per_s": round(stored / seconds),
        "cpu_us": round((spent[0] - begun[0]) / stored * 1e6, 1),
        "database_cpu_us": round((spent[1] - begun[1]) / stored * 1e6, 1),
        "rss_mib": round(rss / 2**20, 1),
    }


def _command(setup: Setup, name: str) -> Sequence[str]:
    if name == "bento":
        config = Path("..") / "shared" / "peers" / "bento_kafka_to_postgres.yaml"
        return (setup.bento, "-c", str(config))
    return module("benchmarks.rig.sink_worker", name, setup.topic)


def _environment(setup: Setup, group: str) -> Mapping[str, str]:
    parts = psycopg.conninfo.conninfo_to_dict(setup.dsn)
    peer_dsn = " ".join(f"{name}={value}" for name, value in parts.items())
    return {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": setup.kafka.bootstrap_servers,
        "ZCC_KAFKA_REPLICATION": "1",
        "ZCC_KAFKA_TOPIC_PREFIX": group,
        "ZCC_POSTGRES_DSN": setup.dsn,
        "BENCH_GROUP": group,
        "PEER_KAFKA": setup.kafka.bootstrap_servers,
        "PEER_GROUP": group,
        "PEER_PG_DSN": f"{peer_dsn} sslmode=disable",
    }


def _progress(name: str) -> str:
    if name in {"all", "raw"}:
        return "select coalesce(sum(next_offset), 0) from zcc.kafka_offset"
    return "select count(*) from public.evb"


async def _until(connection: psycopg.AsyncConnection, statement: str, least: int) -> int:
    """Wait until a count is reached; return it."""
    async with asyncio.timeout(_deadline_s):
        while True:
            row = await (await connection.execute(statement.encode())).fetchone()
            count = int(row[0]) if row else 0
            if count >= least:
                return count
            await asyncio.sleep(_poll_interval_s)


def _family(worker: psutil.Process) -> Sequence[psutil.Process]:
    return (worker, *worker.children(recursive=True))


def _database() -> Sequence[psutil.Process]:
    """Return the processes of the server that this one has started."""
    children = psutil.Process().children(recursive=True)
    return tuple(each for each in children if each.name() == "postgres")


def _emptied(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop schema if exists zcc cascade")
        connection.execute(_peer_table)
    migrate(dsn)


async def _latency(setup: Setup) -> Mapping[str, float]:
    """Produce at a steady rate; return how long a row takes from the append to its commit."""
    await asyncio.to_thread(_emptied, setup.dsn)
    group, topic = await _new_group(setup.kafka), "sinkbench-steady"
    await _make_topic(setup.kafka, topic)
    steady = replace(setup, topic=topic)
    count = _latency_rate * _latency_s
    async with (
        process(_command(steady, "all"), _environment(steady, group), setup.folder / "log"),
        connected(setup.kafka) as publisher,
        await psycopg.AsyncConnection.connect(setup.dsn, autocommit=True) as connection,
        asyncio.TaskGroup() as group_of_tasks,
    ):
        start = time.perf_counter()
        for ordinal, record in enumerate(islice(events(topic, count), count)):
            await asyncio.sleep(max(0.0, start + ordinal / _latency_rate - time.perf_counter()))
            group_of_tasks.create_task(publisher.publish(as_new(record, ordinal)))
        await _until(connection, _progress("all"), count)
        first = f"{_latency_rate * _latency_start_s:064x}"
        cursor = await connection.execute(_waits, (first,))
        waits_ms = [float(row[0]) for row in await cursor.fetchall()]
    hundredths = quantiles(waits_ms, n=100)
    return {
        "events_per_s": _latency_rate,
        "events": len(waits_ms),
        "p50_ms": round(hundredths[49]),
        "p99_ms": round(hundredths[98]),
        "most_ms": round(max(waits_ms)),
    }


async def _flat(setup: Setup, held: int) -> Mapping[str, float]:
    """Measure with all projections again where the tables hold so many raw rows already."""
    await _throughput(setup, "all")
    copies = -(-held // setup.events)
    await asyncio.to_thread(_multiply, setup.dsn, copies)
    figures = await _throughput(setup, "all", empty=False)
    return {"rows_held": copies * setup.events, **figures}


def _multiply(dsn: str, copies: int) -> None:
    """Copy all rows, under keys that no event of the topic has."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        tables = connection.execute(_keys_of_tables).fetchall()
        for table, key in tables:
            columns = [column for (column,) in connection.execute(_columns, (table,)).fetchall()]
            names = ", ".join(columns)
            values = ", ".join(f"{c} || '-' || n" if c == key else c for c in columns)
            copied = f"select {values} from original, generate_series(1, {copies}) n"
            for statement in (
                f"create temporary table original as select {names} from zcc.{table}",
                f"truncate zcc.{table}",
                f"insert into zcc.{table} ({names}) {copied}",
                "drop table original",
            ):
                connection.execute(statement.encode())
        connection.execute("truncate zcc.kafka_offset")
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


_waits: Final = """
select extract(epoch from pg_xact_commit_timestamp(xmin) - received_at) * 1000 from zcc.raw_event
where event_id >= %s
"""

_keys_of_tables: Final = """
select relation.relname, min(attribute.attname) filter (where attribute.attname <> 'account_id')
from pg_index key
join pg_class relation on relation.oid = key.indrelid
join pg_attribute attribute on attribute.attrelid = relation.oid
    and attribute.attnum = any (key.indkey) and attribute.atttypid = 'text'::regtype
where key.indisprimary and relation.relnamespace = 'zcc'::regnamespace
    and not relation.relispartition
    and relation.relname not in ('kafka_offset', 'alembic_version')
group by relation.relname
order by relation.relname
"""

_columns: Final = """
select attname from pg_attribute
where attrelid = ('zcc.' || %s)::regclass and attnum > 0 and not attisdropped and attgenerated = ''
order by attnum
"""


async def _server(dsn: str) -> str:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        row = await (await connection.execute("show server_version")).fetchone()
    return str(row[0]) if row else "?"


def _middle(rounds: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


if __name__ == "__main__":
    main()
