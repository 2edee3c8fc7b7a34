"""Deliveries as they stand in the enriched topics, made with the contract's own functions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from runtime.values import Batch, Delivery, Span, TopicPartition
from schemas import identity
from schemas.envelope import read_envelope
from schemas.headers import event_headers, timestamp

SOURCE = TopicPartition("zcc.enriched.engagement.v1", 0)
START_MS = 1_772_359_200_000  # 2026-03-01T10:00:00Z
PSEUDONYM_KEY = b"tests"

complete: Mapping[str, Any] = {"status": "complete", "users": {}, "queues": {}, "missing": []}


def webhook(
    name: str,
    entity: Mapping[str, Any],
    *,
    at_ms: int = START_MS,
    account_id: str = "ACCOUNT",
) -> bytes:
    """A webhook body; it happened when it was sent."""
    return orjson.dumps(
        {
            "event": f"contact_center.{name}",
            "event_ts": at_ms,
            "payload": {
                "account_id": account_id,
                "object": {"date_time_ms": timestamp(at_ms), **entity},
            },
        }
    )


def delivery(
    body: bytes,
    *,
    offset: int = 0,
    source: TopicPartition = SOURCE,
    enrichment: Mapping[str, Any] | None = complete,
    revision: int = 1,
) -> Delivery:
    """An enriched record of a body."""
    envelope = read_envelope(body)
    address = identity.event_address(envelope, pseudonym_key=PSEUDONYM_KEY)
    headers = event_headers(
        envelope,
        event_id=identity.event_id(envelope),
        occurred_at_ms=identity.occurred_at_ms(envelope),
        subject=address.subject,
        partition_key=address.partition_key,
    )
    received_at = timestamp(envelope.event_ts_ms + 200).encode()
    own = (("zcc-received-at", received_at), ("zcc-revision", str(revision).encode()))
    member = b"" if enrichment is None else b',"enrichment":' + orjson.dumps(enrichment)
    value = body[:-1] + member + body[-1:]
    return Delivery(source.topic, source.partition, offset, b"key", value, (*headers, *own), 0)


def with_header(changed: Delivery, name: str, value: bytes | None) -> Delivery:
    """The same record with another value of a header, or without it."""
    rest = tuple(header for header in changed.headers if header[0] != name)
    headers = rest if value is None else (*rest, (name, value))
    return with_fields(changed, headers=headers)


def with_fields(changed: Delivery, **fields: Any) -> Delivery:
    """The same record with other fields."""
    names = ("topic", "partition", "offset", "key", "value", "headers", "timestamp_ms")
    return Delivery(**{name: getattr(changed, name) for name in names} | fields)


def batch(
    deliveries: Iterable[Delivery], *, start: int = 0, source: TopicPartition = SOURCE
) -> Batch:
    """One batch of one partition, renumbered from ``start`` on."""
    deliveries = tuple(
        with_fields(each, topic=source.topic, partition=source.partition, offset=start + index)
        for index, each in enumerate(deliveries)
    )
    return Batch(deliveries, {source: Span(start, start + len(deliveries))})


def voice_call(account_id: str = "ACCOUNT", engagement_id: str = "E1") -> Sequence[Delivery]:
    """A voice call: two flows, two queues, two agents, some names from the enrichment only."""
    call = {"engagement_id": engagement_id, "engagement_direction": "inbound", "channel": "voice"}
    first = {"flow_id": "F1", "flow_name": "Main"}
    second = {"flow_id": "F2", "flow_name": "Billing"}
    waiting = {"engagement_id": engagement_id, "task_id": "T1", "cc_queue_id": "Q1"}
    agents = [
        {"user_id": "U1", "cc_queue_id": "Q1", "queue_name": "Sales"},
        {"user_id": "U2", "user_display_name": "Blake", "cc_queue_id": "Q2"},
    ]
    names = {
        **complete,
        "users": {"U1": {"user_id": "U1", "display_name": "Alex"}},
        "queues": {"Q2": {"cc_queue_id": "Q2", "queue_name": "Billing"}},
    }
    events = [
        (
            "engagement_started",
            {**call, **first, "transfer_from": "zoom_phone", "transfer_from_id": "7396294160320"},
        ),
        ("task_created", {**waiting, "channel_name": "voice"}),
        ("task_entered_queue", waiting),
        (
            "engagement_user_answered",
            {**call, **first, **agents[0], "consumer_id": "C1", "consumer_number": "+15550100000"},
        ),
        ("engagement_user_hold", {**call, **first, **agents[0]}),
        ("engagement_user_unhold", {**call, **first, **agents[0]}),
        (
            "engagement_user_answered",
            {**call, **second, **agents[1], "consumer_display_name": "Casey"},
        ),
        ("engagement_wrap_up_started", {**call, **second, **agents[0]}),
        ("engagement_ended", {**call, **second}),
        ("engagement_ended", {**call, **second, "channel_source": "web_video"}),
        ("engagement_wrap_up_ended", {**call, **second, **agents[1]}),
        ("cx_engagement_end_data_ready", {**call, "start_time": timestamp(START_MS)}),
    ]
    bodies = [
        webhook(name, entity, at_ms=START_MS + 1000 * index, account_id=account_id)
        for index, (name, entity) in enumerate(events)
    ]
    partial = {**names, "status": "partial", "users": {}, "queues": {}}
    return [
        delivery(bodies[0]),
        *(delivery(body, enrichment=partial) for body in bodies[1:]),
        *(delivery(body, enrichment=names, revision=2) for body in bodies[3:8]),
    ]
