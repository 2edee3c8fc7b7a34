"""Reads the event ids in all stores: topics, Postgres, objects."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from operations.components import by_name, workers
from operations.reconcile.accounting import StoredIds
from operations.reconcile.report import Latency, StoredCounts
from operations.topics.specs import deployment_specs
from runtime.kafka import TopicAdmin, read_all
from runtime.settings import KafkaSettings
from runtime.values import Delivery
from schemas import topics
from schemas.headers import event_id_header, origin_header, text
from sinks.object_storage.component import component as object_sink
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.component import component as postgres_sink
from sinks.postgres.settings import PostgresSettings


@dataclass(frozen=True, slots=True)
class DataStores:
    """The settings of all stores."""

    kafka: KafkaSettings
    postgres: PostgresSettings
    object_storage: ObjectStorageSettings


async def read_all_stores(
    stores: DataStores, *, accepted: frozenset[str] | None
) -> tuple[StoredIds, StoredCounts]:
    """Read everything once.

    Raises:
        TransientError: a store does not answer.
    """
    prefix = stores.kafka.topic_prefix
    raw = await _ids(stores.kafka, topics.raw_topics(prefix=prefix))
    dead_lettered = {
        worker: await _ids(stores.kafka, [topics.dead_letter_topic(worker, prefix=prefix)])
        for worker in workers
    }
    in_postgres, by_status = await _postgres_ids(stores.postgres)
    in_objects = Counter([event_id async for event_id in stored_event_ids(stores.object_storage)])
    stored_ids = StoredIds(
        accepted=accepted,
        in_topics=frozenset(raw),
        in_stores={
            postgres_sink.name: frozenset(in_postgres),
            object_sink.name: frozenset(in_objects),
        },
        dead_lettered={
            worker: frozenset(ids)
            for worker, ids in dead_lettered.items()
            if _is_on_the_way(worker, prefix=prefix)
        },
    )
    counts = await _record_counts(stores.kafka)
    stored = StoredCounts(
        records_per_topic=counts,
        postgres_rows=in_postgres.total(),
        postgres_distinct_event_ids=len(in_postgres),
        object_rows=in_objects.total(),
        object_distinct_event_ids=len(in_objects),
        dead_letters=sum(ids.total() for ids in dead_lettered.values()),
        quarantined=counts.get(topics.quarantine_topic(prefix=prefix), 0),
        enrichment=dict(by_status),
    )
    return stored_ids, stored


def _is_on_the_way(worker: str, *, prefix: str) -> bool:
    """Return whether an event that this worker dead-lettered is missing behind it.

    A store loses it, and so do all stores behind a processor that makes the enriched topics. Other
    processors read the same events beside it.
    """
    component = by_name[worker]
    enriched = set(topics.enriched_topics(prefix=prefix))
    return component.kind == "sink" or enriched <= set(component.writes(prefix=prefix))


async def latency(postgres: PostgresSettings) -> Latency:
    """Return the time from acceptance to the row being visible.

    Where Postgres keeps commit times (`track_commit_timestamp`) it is measured to the commit,
    elsewhere to the insertion, as it is for rows that a later revision has corrected: their commit
    is that of the correction.
    """
    async with await psycopg.AsyncConnection.connect(postgres.dsn.get_secret_value()) as connection:
        setting = await connection.execute("show track_commit_timestamp")
        tracked = await setting.fetchone() == ("on",)
        committed = "case when revision = 1 then pg_xact_commit_timestamp(xmin) else stored_at end"
        moment = committed if tracked else "stored_at"
        quantiles = await connection.execute(
            "select percentile_cont(array[0.5, 0.99]) within group "  # noqa: S608 - two constants
            f"(order by extract(epoch from {moment} - received_at) * 1000) from zcc.raw_event"
        )
        row = await quantiles.fetchone()
    p50_ms, p99_ms = (round(value, 1) for value in row[0]) if row and row[0] else (None, None)
    return Latency(p50_ms, p99_ms, "commit" if tracked else "insertion")


async def _ids(kafka: KafkaSettings, names: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    async for delivery in read_all(kafka, names):
        counts[_name_of(delivery)] += 1
    return counts


def _name_of(delivery: Delivery) -> str:
    """Return the event id, else the origin of the record: topic/partition/offset.

    A dead letter has its origin in a header, so it has the same name as its record.
    """
    headers = delivery.headers
    return text(headers, event_id_header) or text(headers, origin_header) or delivery.origin


async def _postgres_ids(postgres: PostgresSettings) -> tuple[Counter[str], Counter[str]]:
    """Count the rows by event id, and by the status of their enrichment."""
    ids: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    async with await psycopg.AsyncConnection.connect(postgres.dsn.get_secret_value()) as connection:
        rows = await connection.execute(
            "select event_id, coalesce(enrichment_status, 'none') from zcc.raw_event"
        )
        async for event_id, status in rows:
            ids[event_id] += 1
            statuses[status] += 1
    return ids, statuses


async def _record_counts(kafka: KafkaSettings) -> dict[str, int]:
    names = [spec.name for spec in deployment_specs(kafka.topic_plan)]
    async with TopicAdmin(kafka) as admin:
        return await admin.record_counts(names)
