"""A day of a contact center: engagements, states and references, and the tables that hold it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.values import Delivery, TopicPartition
from tests.support.enriched_records import START_MS
from tests.support.postgres import owner, query
from tests.support.projections import REFERENCE_TOPIC, event, snapshot

REFERENCES = TopicPartition(REFERENCE_TOPIC, 0)
START = datetime.fromtimestamp(START_MS / 1000, UTC)  # 10:00
NEXT_DAY_S = 14 * 3600
SALES = {"cc_queue_id": "Q1", "queue_name": "Sales"}
BILLING = {"cc_queue_id": "Q2"}
ALEX = {"user_id": "U1", "user_display_name": "Alex"}
SAM = {"user_id": "U2"}
VOICE = {"channel": "voice", "engagement_direction": "inbound"}
CHAT = {"channel": "messaging", "channel_source": "web_chat", "engagement_direction": "inbound"}


def clock(hour: int, minute: int = 0, second: int = 0) -> int:
    """Seconds after the start of a time of that day."""
    return (hour - 10) * 3600 + minute * 60 + second


def events_of(engagement_id: str, kind: Mapping[str, str]) -> Any:
    """What tells events of an engagement, by name and time of the day."""

    def store_events(name: str, time: tuple[int, ...], *members: Mapping[str, Any]) -> Delivery:
        entity: dict[str, Any] = {"engagement_id": engagement_id, **kind}
        if name.startswith("task_"):
            entity |= {"task_id": f"task of {engagement_id}"}
        if name.startswith("task_reservation"):
            entity |= {"task_reservation_id": f"reservation of {engagement_id}"}
        for some in members:
            entity |= some
        return event(name, after_s=clock(*time), **entity)

    return store_events


def engagements() -> list[Delivery]:
    call, missed, short = events_of("E1", VOICE), events_of("E2", VOICE), events_of("E3", VOICE)
    chat, waiting = events_of("E4", CHAT), events_of("E6", VOICE)
    dialed = events_of("E5", {**VOICE, "engagement_direction": "outbound"})
    caller = {"consumer_id": "C1", "consumer_number": "+15550100001"}
    impatient = {"short_abandon_enable": True, "short_abandon_threshold": 5}
    return [
        call("engagement_started", (10, 0, 0)),
        call("task_entered_queue", (10, 0, 5), SALES, impatient),
        call("task_reservation_accepted", (10, 0, 15), SALES, {"assigned_user_id": "U1"}),
        call("engagement_user_answered", (10, 0, 16), SALES, ALEX, caller),
        call("engagement_user_hold", (10, 1, 0), SALES, ALEX),
        call("engagement_user_unhold", (10, 1, 30), SALES, ALEX),
        call("engagement_user_ended", (10, 2, 0), SALES, ALEX),
        call("engagement_wrap_up_started", (10, 2, 0), SALES, ALEX),
        call("engagement_user_answered", (10, 2, 0), BILLING, SAM),
        call("engagement_wrap_up_ended", (10, 2, 20), ALEX),
        call("engagement_ended", (10, 3, 0)),
        call("engagement_wrap_up_started", (10, 3, 0), BILLING, SAM),
        call("engagement_wrap_up_ended", (10, 3, 40), SAM),
        missed("engagement_started", (10, 10, 0)),
        missed("task_entered_queue", (10, 10, 2), SALES, impatient),
        missed("task_deleted", (10, 10, 47)),
        missed("engagement_ended", (10, 10, 47)),
        short("engagement_started", (10, 20, 0)),
        short("task_entered_queue", (10, 20, 1), SALES, impatient),
        short("engagement_ended", (10, 20, 4)),
        chat("engagement_started", (10, 29, 50)),
        chat("task_entered_queue", (10, 29, 55), SALES),
        chat("task_exited_queue", (10, 30, 15), SALES),
        chat("task_entered_queue", (10, 30, 15), BILLING),
        chat("task_reservation_accepted", (10, 30, 40), BILLING, {"assigned_user_id": "U2"}),
        chat("engagement_consumer_sent_message", (10, 31, 0), SAM),
        chat("engagement_ended", (10, 45, 0)),
        dialed("engagement_started", (10, 50, 0)),
        dialed("engagement_user_answered", (10, 50, 1), SALES, ALEX),
        dialed("engagement_consumer_answered", (10, 50, 20), SALES, ALEX),
        dialed("engagement_ended", (10, 51, 20)),
        waiting("engagement_started", (10, 58, 0)),
        waiting("task_entered_queue", (10, 58, 10), SALES),
        event("engagement_started", after_s=NEXT_DAY_S + 30, engagement_id="E7", **CHAT),
        event("engagement_ended", after_s=NEXT_DAY_S + 330, engagement_id="E7", **CHAT),
    ]


def status_changed(user_id: str, time: tuple[int, ...], *names: str) -> Delivery:
    states = {"Offline": "0", "Ready": "1", "Not Ready": "2", "Occupied": "3", "Break": "20"}
    events = {"current_status_id": states[names[0]], "current_status_name": names[0]}
    if names[1:]:
        events |= {"current_sub_status_id": states[names[1]], "current_sub_status_name": names[1]}
    return event("user_status_changed", after_s=clock(*time), user_id=user_id, **events)


def agent_states() -> list[Delivery]:
    threshold = {
        "service_level_threshold_in_seconds": 15,
        "service_level_exclude_short_abandoned_calls": True,
    }
    return [
        event("queue_inbound_sla_updated", after_s=-60, cc_queue_id="Q1", updates=threshold),
        event("user_login", after_s=clock(8), user_id="U1", display_name="Alex"),
        status_changed("U1", (9, 50), "Ready"),
        status_changed("U1", (10, 5), "Occupied"),
        status_changed("U1", (10, 20), "Not Ready", "Break"),
        status_changed("U2", (8,), "Ready"),
        status_changed("U2", (10, 10), "Offline"),
        event("user_deleted", after_s=clock(10, 40), users=[{"user_id": "U2"}]),
    ]


def references() -> list[Delivery]:
    """Names that no event tells."""
    return [
        snapshot("queue", "Q2", {"cc_queue_id": "Q2", "queue_name": "Billing"}, after_s=-99),
        snapshot("user", "U2", {"user_id": "U2", "display_name": "Sam"}, after_s=-99),
    ]


def at(*time: int) -> datetime:
    return START + timedelta(seconds=clock(*time))


async def store_events(dsn: str, events: Sequence[Delivery], *, size: int = 1000) -> None:
    async with owner(dsn) as writer:
        for start in range(0, len(events), size):
            assert await writer.store(events[start : start + size]) == ()


async def store_references(dsn: str) -> None:
    async with owner(dsn, source=REFERENCES) as writer:
        assert await writer.store(references()) == ()


async def query_in_utc(dsn: str, statement: str) -> list[dict[str, Any]]:
    """What a session in UTC is answered."""
    return await query(f"{dsn}?options=-c%20timezone%3DUTC", statement)
