"""The SDK of the CloudEvents project reads our records, in Kafka's binary content mode."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from runtime.values import Record
from schemas.catalogue import events
from schemas.envelope import read_envelope
from schemas.identity import event_id, occurred_at_ms
from tests.support.each_case import each_case
from tests.support.simulated_account import first_events

EPOCH = datetime.fromtimestamp(0, UTC)


@pytest.fixture(scope="module")
def records() -> Mapping[str, Record]:
    """For each event, the record that ingest makes of the first one that the simulator sends."""
    bodies: dict[str, bytes] = {}
    for event in first_events(5000):
        bodies.setdefault(event.event, event.body)
    made = {}
    for name, body in bodies.items():
        decision = decide(
            SignedRequest("app", body, b"s", 1), RoutingSettings("p", b"0123456789abcdef")
        )
        assert isinstance(decision, RoutedEvent)
        made[name] = decision.record
    return made


@each_case("name", events)
def test_the_sdk_reads_the_record_of_each_event(name: str, records: Mapping[str, Record]) -> None:
    record = records[name]
    assert record.value is not None
    envelope = read_envelope(record.value)
    read = from_kafka_event(KafkaMessage(dict(record.headers), record.key, record.value))
    assert read.get_specversion() == "1.0"
    assert read.get_id() == event_id(envelope)
    assert read.get_type() == name
    assert read.get_source() == f"urn:zoom:contact-center:{envelope.account_id}"
    assert read.get_subject() == dict(record.headers)["ce_subject"].decode()
    assert read.get_time() == EPOCH + timedelta(milliseconds=occurred_at_ms(envelope))
    assert read.get_dataschema() == f"urn:zcc:schema:{name}:1"
    assert read.get_datacontenttype() == "application/json"
    assert record.key is not None
    assert read.get_extension("partitionkey") == record.key.decode()
    assert dict(record.headers)["ce_partitionkey"] == record.key
    assert read.get_data() == orjson.loads(record.value)
