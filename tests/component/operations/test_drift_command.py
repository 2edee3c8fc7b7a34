"""`zcc schemas drift` on real topics."""

import asyncio
import json
from collections.abc import Sequence

import orjson
import pytest

from operations.schemas.drift import run
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.catalogue import example
from schemas.topics import raw_topic, raw_topics, topic_specs
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S

STARTED = "contact_center.engagement_started"
deadline_s = HANG_GUARD_S


async def with_events(kafka: KafkaSettings, topic: str, *values: bytes | None) -> None:
    names = raw_topics(prefix=kafka.topic_prefix)
    async with TopicAdmin(kafka) as admin:
        await admin.apply([s for s in topic_specs(kafka.topic_plan, {}) if s.name in names])
    async with (
        KafkaPublisher(kafka, client_id="t", clock=SystemClock()) as publisher,
        asyncio.timeout(deadline_s),
    ):
        while not publisher.ready:
            await asyncio.sleep(0.01)
        for value in values:
            await publish_once(publisher, Record(topic, b"k", value))


async def report(
    kafka: KafkaSettings,
    capsys: pytest.CaptureFixture[str],
    *,
    as_json: bool,
    topics: Sequence[str],
) -> str:
    capsys.readouterr()
    await run(kafka, topics=topics, as_json=as_json)
    return capsys.readouterr().out


async def test_drift_is_reported_with_its_patch(
    kafka_settings: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = raw_topic("engagement", prefix=kafka_settings.topic_prefix)
    fine = example(STARTED)
    strange = orjson.loads(fine)
    strange["payload"]["object"] |= {"channel": "telepathy", "novel": 1}
    unknown = b'{"event":"contact_center.new","event_ts":1,"payload":{"account_id":"a"}}'
    values = (fine, orjson.dumps(strange), unknown, b"no event", None)
    await with_events(kafka_settings, topic, *values)

    drift = json.loads(await report(kafka_settings, capsys, as_json=True, topics=()))
    assert drift["topics"] == list(raw_topics(prefix=kafka_settings.topic_prefix))
    assert (drift["events_read"], drift["unreadable"]) == (3, 2)
    assert [(f["event"], f["kind"], f["path"], f["bodies"]) for f in drift["findings"]] == [
        (STARTED, "unknown_enum_value", "payload.object.channel", 1),
        (STARTED, "unknown_field", "payload.object.novel", 1),
        ("contact_center.new", "unknown_event", "event", 1),
    ]
    assert set(drift["patches"]) == {STARTED, "contact_center.new"}

    text = await report(kafka_settings, capsys, as_json=False, topics=[topic])
    assert text.startswith("3 events read from 1 topics\n2 values are not events\n")
    assert f"{STARTED}: 2 read\n" in text
    assert '  unknown_enum_value payload.object.channel: 1 events; string 1; "telepathy"\n' in text
    assert f"{STARTED}, schemas/webhooks/engagement/engagement_started.schema.json:\n{{" in text
    assert "contact_center.new, schemas/webhooks/<family>/<event>.schema.json:\n{" in text

    other = raw_topic("user", prefix=kafka_settings.topic_prefix)
    assert await report(kafka_settings, capsys, as_json=False, topics=[other]) == (
        "0 events read from 1 topics\nno drift: all of them match the contract\n"
    )


async def test_a_topic_that_is_not_raw_is_refused(kafka_settings: KafkaSettings) -> None:
    with pytest.raises(ConfigurationError, match="is not a raw topic; expected one of"):
        await run(kafka_settings, topics=["zcc.enriched.user.v1"], as_json=False)
