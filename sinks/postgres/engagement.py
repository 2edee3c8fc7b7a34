"""Pure: the engagement table, which comes out the same whatever the order of its events.

Zoom delivers out of order and more than once. So each group of columns is a register: it takes its
values from the newest (or oldest) event that carries them, and keeps that event's stamp beside
them. A stamp orders events by (occurred_at, event_ts, event_id), then by revision; for an oldest
register its first three parts are complemented, so that the greater stamp wins everywhere. Taking
the greater of two stamped values is commutative, associative and idempotent, because equal stamps
mean the same revision of the same event; hence any order, any repeats and any division into batches
give the same row. Bounds (the least or greatest of some times) have these properties as they are.

The same rule merges within a batch (here) and into the table (`engagement_table`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Literal

from sinks.postgres.events import Event
from sinks.postgres.tables import Cell, Column, Row, Table, columns_of

Values = tuple[Cell, ...]

no_stamp: Final = b""
"""Less than every stamp: no event has carried the values yet."""

_ordering_bytes: Final = 48  # of a stamp: all but the revision
_complement: Final = bytes(255 - byte for byte in range(256))

_routing_channels: Final = {
    "voice": ("voice", None),
    "video": ("video", None),
    "sms": ("messaging", "sms"),
    "chat": ("messaging", "web_chat"),
    "in_app_chat": ("messaging", "in_app_chat"),
}
"""``channel_name`` of the routing tasks that have no ``channel``: (channel, channel_source)."""

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


@dataclass(frozen=True, slots=True)
class Register:
    """Columns that take their values together, from one event.

    ``read`` returns them, or None where the event carries none.
    """

    name: str
    columns: tuple[Column, ...]
    read: Callable[[Event], Values | None]
    takes: Literal["newest", "oldest"] = "newest"

    @property
    def stamp(self) -> str:
        """Name of the column that holds the stamp."""
        return f"{self.name}_stamp"


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or greatest time of occurrence among events of one kind; of all where None."""

    column: str
    takes: Literal["least", "greatest"]
    event: str | None


def channel(event: Event) -> str | None:
    """Return the channel, which some routing tasks name in a way of their own."""
    return event.text("channel") or _routing_channel(event)[0]


def queue_name(event: Event) -> str | None:
    """Return the queue's name as the event says it, else as the enrichment found it."""
    return event.text("queue_name") or event.found("queues", "cc_queue_id", "queue_name")


def user_name(event: Event) -> str | None:
    """Return the user's name as the event says it, else as the enrichment found it."""
    return event.text("user_display_name") or event.found("users", "user_id", "display_name")


def _routing_channel(event: Event) -> tuple[str | None, str | None]:
    return _routing_channels.get(event.text("channel_name") or "", (None, None))


def _channel(event: Event) -> Values | None:
    found = channel(event)
    return (found,) if found else None


def _channel_source(event: Event) -> Values | None:
    found = event.text("channel_source")
    if found is None and event.text("channel") is None:
        found = _routing_channel(event)[1]
    return (found,) if found else None


def _member(name: str) -> Callable[[Event], Values | None]:
    def read(event: Event) -> Values | None:
        found = event.text(name)
        return (found,) if found else None

    return read


def _started(event: Event) -> Values | None:
    if event.name != "contact_center.engagement_started":
        return None
    return event.occurred_at_ms, event.text("transfer_from"), event.text("transfer_from_id")


def _flow(event: Event) -> Values | None:
    flow_id = event.text("flow_id")
    return (flow_id, event.text("flow_name")) if flow_id else None


def _queue(event: Event) -> Values | None:
    queue_id = event.text("cc_queue_id")
    return (queue_id, queue_name(event)) if queue_id else None


def _user(event: Event) -> Values | None:
    user_id = event.text("user_id")
    return (user_id, user_name(event)) if user_id else None


def _campaign(event: Event) -> Values | None:
    status = event.text("campaign_dialer_status")
    return (status, event.text("external_engagement_id")) if status else None


def _phase(event: Event) -> Values | None:
    phase = _phases.get(event.name)
    return (phase,) if phase else None


def _last_event(event: Event) -> Values:
    return event.event_id, event.occurred_at_ms


registers: Final = (
    Register("direction", columns_of("text", "direction"), _member("engagement_direction")),
    Register("channel", columns_of("text", "channel"), _channel),
    Register("channel_source", columns_of("text", "channel_source"), _channel_source),
    Register(
        "started",
        (
            *columns_of("timestamptz", "started_at"),
            *columns_of("text", "transfer_from", "transfer_from_id"),
        ),
        _started,
        "oldest",
    ),
    Register("first_flow", columns_of("text", "first_flow_id", "first_flow_name"), _flow, "oldest"),
    Register("last_flow", columns_of("text", "last_flow_id", "last_flow_name"), _flow),
    Register("queue", columns_of("text", "cc_queue_id", "queue_name"), _queue),
    Register("last_user", columns_of("text", "last_user_id", "last_user_display_name"), _user),
    Register("consumer_id", columns_of("text", "consumer_id"), _member("consumer_id")),
    Register("consumer_number", columns_of("text", "consumer_number"), _member("consumer_number")),
    Register(
        "consumer_display_name",
        columns_of("text", "consumer_display_name"),
        _member("consumer_display_name"),
    ),
    Register(
        "campaign",
        columns_of("text", "campaign_dialer_status", "external_engagement_id"),
        _campaign,
    ),
    Register("phase", columns_of("text", "phase"), _phase),
    Register(
        "last_event",
        (*columns_of("text", "last_event_id"), *columns_of("timestamptz", "last_occurred_at")),
        _last_event,
    ),
)

bounds: Final = (
    Bound("first_occurred_at", "least", None),
    Bound("ended_at", "greatest", "contact_center.engagement_ended"),
    Bound("wrap_up_started_at", "least", "contact_center.engagement_wrap_up_started"),
    Bound("wrap_up_ended_at", "greatest", "contact_center.engagement_wrap_up_ended"),
    Bound("v1_data_ready_at", "least", "contact_center.legacy_engagement_end_data_ready"),
    Bound("v2_data_ready_at", "least", "contact_center.cx_engagement_end_data_ready"),
)

_choose: Final = {"least": min, "greatest": max}


def engagement_rows(events: Iterable[Event]) -> list[Row]:
    """Return one row for each engagement that the events name, in the order of the key."""
    engagements = defaultdict[tuple[str, str], list[Event]](list)
    for event in events:
        if event.engagement_id is not None:
            engagements[event.account_id, event.engagement_id].append(event)
    return [(*key, *_cells(engagements[key])) for key in sorted(engagements)]


def _cells(events: Sequence[Event]) -> Iterator[Cell]:
    """Yield what these events say about one engagement; of equal stamps the first one stays."""
    newest = [(event.stamp, event) for event in events]
    oldest = [(_complemented(stamp), event) for stamp, event in newest]
    ranked = {
        "newest": sorted(newest, key=itemgetter(0), reverse=True),
        "oldest": sorted(oldest, key=itemgetter(0), reverse=True),
    }
    for register in registers:
        yield from _stamped_values(register, ranked[register.takes])
    for bound in bounds:
        times = [e.occurred_at_ms for e in events if bound.event is None or e.name == bound.event]
        yield _choose[bound.takes](times) if times else None


def _stamped_values(register: Register, ranked: Iterable[tuple[bytes, Event]]) -> Row:
    for stamp, event in ranked:
        values = register.read(event)
        if values is not None:
            return *values, stamp
    return *(None for _ in register.columns), no_stamp


def _complemented(stamp: bytes) -> bytes:
    return stamp[:_ordering_bytes].translate(_complement) + stamp[_ordering_bytes:]


def _columns() -> tuple[Column, ...]:
    registered = (
        column
        for register in registers
        for column in (*register.columns, Column(register.stamp, "bytea"))
    )
    limits = columns_of("timestamptz", *(bound.column for bound in bounds))
    return (*columns_of("text", "account_id", "engagement_id"), *registered, *limits)


def _resolution() -> str:
    settings, changes = [], []
    for register in registers:
        newer = f"excluded.{register.stamp} > stored.{register.stamp}"
        changes.append(newer)
        settings += [
            f"{name} = case when {newer} then excluded.{name} else stored.{name} end"
            for name in (*(column.name for column in register.columns), register.stamp)
        ]
    for bound in bounds:
        chosen = f"{bound.takes}(stored.{bound.column}, excluded.{bound.column})"
        changes.append(f"{chosen} is distinct from stored.{bound.column}")
        settings.append(f"{bound.column} = {chosen}")
    return f"do update set {', '.join(settings)} where {' or '.join(changes)}"


engagement_table: Final = Table(
    "engagement", _columns(), ("account_id", "engagement_id"), _resolution()
)
