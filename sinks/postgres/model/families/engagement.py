"""Pure: what each event of any family says about its engagement.

One reader for all of it, participants included, because they share their lookups.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import user_columns
from sinks.postgres.model.families.participants import channel_of, engagement_key, read_participants
from sinks.postgres.model.families.routing import queue_register
from sinks.postgres.model.json_fields import id_text, moment_ms, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Values,
    VersionedColumns,
    event_columns,
    event_table,
    present,
)
from sinks.postgres.model.tables import Column, columns_of

_phases: Final = {
    "contact_center.engagement_started": "started",
    "contact_center.task_entered_queue": "queued",
    "contact_center.task_reservation_created": "ringing",
    "contact_center.engagement_consumer_notified": "ringing",
    "contact_center.engagement_user_answered": "connected",
    "contact_center.engagement_consumer_answered": "connected",
    "contact_center.engagement_user_hold": "on_hold",
    "contact_center.engagement_user_unhold": "connected",
    "contact_center.engagement_wrap_up_started": "wrap_up",
}

_follow_ups: Final = frozenset(
    {
        "contact_center.engagement_follow_up_task_created",
        "contact_center.engagement_follow_up_task_updated",
    }
)
"""Their ``task_id`` is not a routing task."""

_upgrades: Final = {
    "contact_center.engagement_upgrade_initiated": "initiated",
    "contact_center.engagement_upgrade_completed": "completed",
    "contact_center.engagement_upgrade_expired": "expired",
}

_bounds: Final = {
    "contact_center.engagement_ended": "ended_at",
    "contact_center.engagement_wrap_up_started": "wrap_up_started_at",
    "contact_center.engagement_wrap_up_ended": "wrap_up_ended_at",
    "contact_center.legacy_engagement_end_data_ready": "v1_data_ready_at",
    "contact_center.cx_engagement_end_data_ready": "v2_data_ready_at",
}

_texts: Final = {
    "engagement_direction": "direction",
    "flow_number": "flow_number",
    "contact_center_number": "contact_center_number",
    "consumer_display_name": "consumer_display_name",
}
_ids: Final = ("consumer_id", "consumer_number")
"""Members with registers of their own, which have the names of the members."""

Pair = tuple[str | None, str | None]

zoom: Final = VersionedColumns(
    "zoom",
    (
        *columns_of("bigint", "zoom_total_ms", "zoom_flow_ms", "zoom_waiting_ms"),
        *columns_of("bigint", "zoom_talking_ms", "zoom_hold_ms", "zoom_handling_ms"),
        Column("zoom_wrap_up_ms", "bigint"),
        Column("outcome_status", "text"),
        Column("outcome_as_of", "timestamptz"),
    ),
)
"""What Zoom's API told after the end; no event carries it."""

engagement: Final = Projection(
    "engagement",
    engagement_key,
    (
        VersionedColumns("direction", columns_of("text", "direction")),
        VersionedColumns("channel", columns_of("text", "channel")),
        VersionedColumns("channel_source", columns_of("text", "channel_source")),
        VersionedColumns(
            "started",
            (
                *columns_of("timestamptz", "started_at"),
                *columns_of("text", "transfer_from", "transfer_from_id"),
            ),
            "oldest",
        ),
        VersionedColumns(
            "first_flow", columns_of("text", "first_flow_id", "first_flow_name"), "oldest"
        ),
        VersionedColumns("last_flow", columns_of("text", "last_flow_id", "last_flow_name")),
        queue_register,
        VersionedColumns("last_user", user_columns("last_")),
        VersionedColumns(
            "consumer_id", columns_of("text", "consumer_id", personal="pseudonymous_id")
        ),
        VersionedColumns(
            "consumer_number", columns_of("text", "consumer_number", personal="phone")
        ),
        VersionedColumns(
            "consumer_display_name",
            columns_of("text", "consumer_display_name", personal="person_name"),
        ),
        VersionedColumns(
            "campaign", columns_of("text", "campaign_dialer_status", "external_engagement_id")
        ),
        VersionedColumns("phase", columns_of("text", "phase")),
        VersionedColumns(
            "last_event",
            (Column("last_event_id", "text"), Column("last_occurred_at", "timestamptz")),
        ),
        VersionedColumns("flow_number", columns_of("text", "flow_number", personal="org_phone")),
        VersionedColumns(
            "contact_center_number",
            columns_of("text", "contact_center_number", personal="org_phone"),
        ),
        VersionedColumns(
            "invite",
            (
                Column("consumer_invite_number", "text", "phone"),
                Column("consumer_invite_email", "text", "email"),
            ),
        ),
        VersionedColumns(
            "upgrade",
            (
                *columns_of(
                    "text", "upgrade_state", "upgrade_to_channel", "upgrade_to_channel_source"
                ),
                Column("upgrade_told_at", "timestamptz"),
            ),
        ),
        VersionedColumns(
            "transcript",
            (
                Column("transcript_ready_at", "timestamptz"),
                Column("transcript_url", "text", "url"),
            ),
        ),
        VersionedColumns("reported_start", columns_of("timestamptz", "reported_started_at")),
        zoom,
    ),
    (
        MinMaxColumn("first_occurred_at", "least"),
        MinMaxColumn("ended_at", "greatest"),
        MinMaxColumn("wrap_up_started_at", "least"),
        MinMaxColumn("wrap_up_ended_at", "greatest"),
        MinMaxColumn("v1_data_ready_at", "least"),
        MinMaxColumn("v2_data_ready_at", "least"),
    ),
)

timeline: Final = event_table(
    "engagement_timeline",
    (
        *engagement_key,
        Column("occurred_at", "timestamptz"),
        *event_columns,
    ),
    *columns_of("text", "event", "family", "channel", "cc_queue_id", "queue_name"),
    *user_columns(),
    Column("task_id", "text"),
    partitioned=True,
)

projections: Final = (engagement, timeline)


def read_engagement(event: ParsedEvent) -> Sequence[ColumnUpdate]:
    """Return the updates of an event's engagement, if it names one."""
    if event.engagement_id is None:
        return ()
    name, occurred_at_ms = event.name, event.occurred_at_ms
    user, queue, channel = event.user(), event.queue(), channel_of(event.object)
    key = event.account_id, event.engagement_id
    bounds = {"first_occurred_at": occurred_at_ms}
    if bound := _bounds.get(name):
        bounds[bound] = occurred_at_ms
    task_id = None if name in _follow_ups else event.text("task_id")
    cells = (name, event.family, channel[0], *queue, *user, task_id)
    return (
        ColumnUpdate(engagement, key, _registers(event, user, queue, channel), bounds),
        ColumnUpdate(
            timeline, (*key, occurred_at_ms, event.event_id, event.event_ts_ms), {"event": cells}
        ),
        *read_participants(event, user=user, channel_=channel),
    )


def _registers(event: ParsedEvent, user: Pair, queue: Pair, channel: Pair) -> Mapping[str, Values]:
    entity = event.object
    registers: dict[str, Values] = {"last_event": (event.event_id, event.occurred_at_ms)}
    for member, register in _texts.items():
        if member in entity and (cell := text(entity, member)):
            registers[register] = (cell,)
    for member in _ids:
        if member in entity and (cell := id_text(entity, member)):
            registers[member] = (cell,)
    registers |= present(
        queue=queue, last_user=user, channel=channel[:1], channel_source=channel[1:]
    )
    if flow_id := text(entity, "flow_id"):
        registers["first_flow"] = registers["last_flow"] = (flow_id, text(entity, "flow_name"))
    if phase := _phases.get(event.name):
        registers["phase"] = (phase,)
    read = _registers_by_event.get(event.name)
    return registers if read is None else {**registers, **read(event)}


def _started(event: ParsedEvent) -> Mapping[str, Values]:
    source = event.text("transfer_from"), event.text("transfer_from_id")
    return {"started": (event.occurred_at_ms, *source)}


def _dialed(event: ParsedEvent) -> Mapping[str, Values]:
    status = event.text("campaign_dialer_status")
    return present(campaign=(status, event.text("external_engagement_id")))


def _invited(event: ParsedEvent) -> Mapping[str, Values]:
    invited = event.text("consumer_invite_number"), event.text("consumer_invite_email")
    return {"invite": invited} if any(invited) else {}


def _upgraded(event: ParsedEvent) -> Mapping[str, Values]:
    target = event.text("upgrade_to_channel"), event.text("upgrade_to_channel_source")
    return {"upgrade": (_upgrades[event.name], *target, event.occurred_at_ms)}


def _transcribed(event: ParsedEvent) -> Mapping[str, Values]:
    return {"transcript": (event.occurred_at_ms, event.text("transcript_url"))}


def _settled(event: ParsedEvent) -> Mapping[str, Values]:
    return present(reported_start=(moment_ms(event.object, "start_time"),))


_registers_by_event: Final[Mapping[str, Callable[[ParsedEvent], Mapping[str, Values]]]] = {
    "contact_center.engagement_started": _started,
    "contact_center.outbound_campaign_dialer_status": _dialed,
    "contact_center.engagement_consumer_notified": _invited,
    **dict.fromkeys(_upgrades, _upgraded),
    "contact_center.engagement_messaging_transcript_completed": _transcribed,
    "contact_center.engagement_email_transcript_completed": _transcribed,
    "contact_center.legacy_engagement_end_data_ready": _settled,
    "contact_center.cx_engagement_end_data_ready": _settled,
}
"""Events with facts that no other event carries."""
