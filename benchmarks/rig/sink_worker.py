"""What stores the events of one topic in Postgres: `python -m benchmarks.rig.sink_worker`.

`all` and `raw` are the sink as in production, with and without its projections, but for the topic.
`executemany` is what one would write in an hour with aiokafka and psycopg: one INSERT per row in
one round trip, offsets committed to Kafka afterwards, so at least once. Each runs until SIGTERM.
"""

import argparse
import asyncio
import os
import signal
from dataclasses import replace
from typing import Any, Final

import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer

from runtime.clock import SystemClock
from runtime.process.logs import configure_logs
from runtime.service import run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from schemas.headers import event_id_header
from sinks.postgres.component import component
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink

_insert: Final = """
insert into public.evb (event_id, event_type, event_ts, account_id, topic, part, off, payload)
values (%s, %s, to_timestamp((%s::jsonb ->> 'event_ts')::float8 / 1000),
        %s::jsonb #>> '{payload,account_id}', %s, %s, %s, %s::jsonb)
on conflict do nothing
"""


def main() -> None:
    """Work until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("all", "raw", "executemany"))
    parser.add_argument("topic")
    options = parser.parse_args()
    configure_logs(level="warning")
    if options.work == "executemany":
        uvloop.run(_executemany(options.topic))
    else:
        uvloop.run(_sink(options.topic, projections=options.work == "all"))


async def _sink(topic: str, *, projections: bool) -> None:
    settings = PostgresSettings().model_copy(update={"projections": projections})
    await run_sink(
        PostgresSink(settings, SystemClock()),
        replace(component, reads=lambda *, prefix: (topic,)),  # noqa: ARG005 - a TopicNames has it
        kafka=KafkaSettings(),
        worker=WorkerSettings(health_port=0),
    )


async def _executemany(topic: str) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=KafkaSettings().bootstrap_servers,
        group_id=KafkaSettings().topic_prefix,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    dsn = os.environ["ZCC_POSTGRES_DSN"]
    async with consumer, await psycopg.AsyncConnection.connect(dsn) as connection:
        while True:
            polled = await consumer.getmany(timeout_ms=100, max_records=5_000)
            records = [record for several in polled.values() for record in several]
            if not records:
                continue
            async with connection.cursor() as cursor:
                await cursor.executemany(_insert, [_row(record) for record in records])
            await connection.commit()
            await consumer.commit()


def _row(record: Any) -> tuple[object, ...]:  # noqa: ANN401 - aiokafka has no types
    headers = dict(record.headers)
    value = record.value.decode()
    event_id, kind = headers[event_id_header].decode(), headers["ce_type"].decode()
    place = (record.topic, record.partition, record.offset)
    return (event_id, kind, value, value, *place, value)


if __name__ == "__main__":
    main()
