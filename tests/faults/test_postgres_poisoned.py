"""One record among 5,000 that a table in the middle refuses: it alone is stored nowhere."""

import asyncio
from itertools import islice
from pathlib import Path

from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import ce_type, event_id_header, reason_header
from schemas.reasons import DeadLetterReason
from sinks.postgres.migrate import migrate
from tests.support.kafka_records import records_of
from tests.support.postgres import query
from tests.support.postgres_load import Load, event_id_of, make_topics, publishing, records
from tests.support.postgres_sinks import Sinks

count = 5000
poisoned_from = 3456

one_batch = {"worker_batch_records": count, "worker_batch_age_s": 10}
"""So that the one is in a batch with all others."""


def events(prefix: str) -> list[Record]:
    """One record of each of so many events."""
    stream = records(prefix, seed=3)
    once = {event_id: each for each in islice(stream, 2 * count) if (event_id := event_id_of(each))}
    return list(once.values())[:count]


def ended(record: Record) -> bool:
    return dict(record.headers)[ce_type] == b"contact_center.engagement_ended"


async def test_one_poisoned_record_in_5000_becomes_a_dead_letter_and_the_others_are_stored(
    kafka_settings: KafkaSettings, database_dsn: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    await make_topics(kafka_settings)
    sent = events(kafka_settings.topic_prefix)
    poisoned = next(each for each in sent[poisoned_from:] if ended(each))
    await query(
        database_dsn,
        "alter table zcc.engagement_timeline add constraint poisoned "
        f"check (event_id <> '{event_id_of(poisoned)}')",
    )
    async with (
        publishing(kafka_settings) as publisher,
        Sinks(kafka_settings, database_dsn, tmp_path / "logs", **one_batch) as sinks,
    ):
        await Load(iter(sent), publisher).send(count)
        await sinks.start(0)
        await sinks.until_stored()
        await sinks.stop()
    stored = await query(database_dsn, "select event_id from zcc.raw_event")
    assert len(stored) == count - 1
    expected = {event_id_of(each) for each in sent if each is not poisoned}
    assert {row["event_id"] for row in stored} == expected
    (letter,) = await records_of(kafka_settings, [sinks.dead])
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (poisoned.key, poisoned.value)
    assert headers[event_id_header].decode() == event_id_of(poisoned)
    assert headers[reason_header].decode() == DeadLetterReason.STORE_REFUSED.value
