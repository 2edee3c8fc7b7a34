"""Engagements of the simulated company that end: their raw records, known to its REST API too."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from runtime.values import Record
from schemas.headers import ce_partitionkey, timestamp
from schemas.topics import raw_topic
from simulator.company import Company
from simulator.state import State
from tests.support.enriched_records import delivery, webhook

TALKING_S, HOLD_S, WRAP_UP_S = 60, 15, 20


def engagement_events(
    company: Company, engagement_id: str, *, ended_at: datetime
) -> Iterator[bytes]:
    """The bodies of a call that ended at this time: 60 s of talk, 15 s of hold, 20 s of wrap-up."""
    user, flow = company.users[0], {"flow_id": "F1", "flow_name": "Main"}
    call = {
        "engagement_id": engagement_id,
        "engagement_direction": "inbound",
        "channel": "voice",
        **flow,
    }
    agent = {"user_id": user.user_id, "user_display_name": user.display_name}
    answered = ended_at - timedelta(seconds=TALKING_S + HOLD_S)
    moments: Sequence[tuple[str, datetime, Mapping[str, Any]]] = (
        ("engagement_started", answered - timedelta(seconds=10), {}),
        ("engagement_user_answered", answered, agent),
        ("engagement_user_hold", answered + timedelta(seconds=20), agent),
        ("engagement_user_unhold", answered + timedelta(seconds=20 + HOLD_S), agent),
        (
            "engagement_disposition_added",
            answered + timedelta(seconds=50),
            {**agent, "disposition_id": "D1", "disposition_name": "Solved"},
        ),
        ("engagement_user_ended", ended_at, agent),
        ("engagement_wrap_up_started", ended_at, agent),
        ("engagement_ended", ended_at, {}),
        ("engagement_wrap_up_ended", ended_at + timedelta(seconds=WRAP_UP_S), agent),
    )
    for name, moment, more in moments:
        at_ms = int(moment.timestamp() * 1000)
        yield webhook(name, {**call, **more}, at_ms=at_ms, account_id=company.account_id)


def data_ready(company: Company, engagement_id: str, *, at: datetime) -> bytes:
    """The body of Zoom's announcement."""
    entity = {
        "engagement_id": engagement_id,
        "engagement_direction": "inbound",
        "channel": "voice",
        "start_time": timestamp(int(at.timestamp() * 1000)),
    }
    at_ms = int(at.timestamp() * 1000)
    name = "legacy_engagement_end_data_ready"
    return webhook(name, entity, at_ms=at_ms, account_id=company.account_id)


def apply_to(state: State, bodies: Sequence[bytes], *, now: datetime | None = None) -> None:
    """Let the API know of these events; of the details only after its delay from ``now``."""
    for body in bodies:
        state.happened(orjson.loads(body), now or datetime.now(UTC))


def raw_record(body: bytes, *, prefix: str) -> Record:
    """The record of a body in the raw topic of engagements."""
    raw = delivery(body, enrichment=None)
    key = dict(raw.headers)[ce_partitionkey]
    return Record(raw_topic("engagement", prefix=prefix), key, body, raw.headers)
