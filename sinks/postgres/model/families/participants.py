"""Pure: the participants of an engagement, and their channels."""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.envelope import JsonObject
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.json_fields import id_text, objects_in, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column, columns_of

engagement_key: Final = columns_of("text", "account_id", "engagement_id")

_routing_channels: Final = {
    "voice": ("voice", None),
    "video": ("video", None),
    "sms": ("messaging", "sms"),
    "chat": ("messaging", "web_chat"),
    "in_app_chat": ("messaging", "in_app_chat"),
}
"""``channel_name`` of the routing tasks that have no ``channel``: (channel, channel_source)."""

channel: Final = Projection(
    "engagement_channel",
    (*engagement_key, *columns_of("text", "channel", "channel_source")),
    bounds=(MinMaxColumn("first_seen_at", "least"),),
)

participant: Final = Projection(
    "engagement_participant",
    (
        *engagement_key,
        Column("kind", "text"),
        Column("participant_id", "text", "pseudonymous_id"),
    ),
    (
        VersionedColumns(
            "name", columns_of("text", "display_name", personal="person_name"), "oldest"
        ),
        VersionedColumns("number", columns_of("text", "phone_number", personal="phone"), "oldest"),
        VersionedColumns("teams", columns_of("text[]", "team_ids", "team_names"), "oldest"),
    ),
    (
        MinMaxColumn("first_seen_at", "least"),
        MinMaxColumn("first_answered_at", "least"),
        MinMaxColumn("last_ended_at", "greatest"),
    ),
)
"""Names, numbers and teams are the first ones, so the row does not change while the engagement
lasts."""

projections: Final = (channel, participant)

_answered_or_ended: Final = {
    "contact_center.engagement_user_answered": ("user", "first_answered_at"),
    "contact_center.engagement_consumer_answered": ("consumer", "first_answered_at"),
    "contact_center.engagement_user_ended": ("user", "last_ended_at"),
    "contact_center.engagement_consumer_ended": ("consumer", "last_ended_at"),
}

_supervised: Final = frozenset(
    {
        "contact_center.engagement_monitor_started",
        "contact_center.engagement_monitor_ended",
        "contact_center.engagement_takeover_started",
    }
)

_supervisors: Final = (
    ("monitoring_user_id", "monitoring_user_display_name"),
    ("takeover_user_id", "takeover_user_display_name"),
)


def channel_of(entity: JsonObject) -> tuple[str | None, str | None]:
    """Return channel and source, which some routing tasks name in their own way."""
    channel = id_text(entity, "channel")
    source = id_text(entity, "channel_source")
    if channel:
        return channel, source
    routed = _routing_channels.get(text(entity, "channel_name") or "", (None, None))
    return routed[0], source or routed[1]


def read_participants(
    event: ParsedEvent,
    *,
    user: tuple[str | None, str | None],
    channel_: tuple[str | None, str | None],
) -> Iterator[ColumnUpdate]:
    """Yield the channels and people that an event of an engagement names.

    ``user`` is id and name of its user, ``channel_`` the result of `channel_of`.
    """
    entity = event.object
    key = event.account_id, event.engagement_id
    if channel_[0]:
        seen = {"first_seen_at": event.occurred_at_ms}
        yield ColumnUpdate(channel, (*key, channel_[0], channel_[1] or ""), bounds=seen)
    if user[0]:
        yield _person(event, "user", user[0], user[1], entity)
    if consumer_id := id_text(entity, "consumer_id"):
        name = text(entity, "consumer_display_name")
        yield _person(event, "consumer", consumer_id, name, entity)
    if "users" in entity or "consumers" in entity:
        yield from _listed(event)
    if event.name in _supervised:
        for member, name_member in _supervisors:
            if user_id := id_text(entity, member):
                name = text(entity, name_member) or event.user_name(user_id)
                yield _person(event, "supervisor", user_id, name, {})


def _listed(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    for user in objects_in(event.object, "users"):
        if user_id := id_text(user, "user_id"):
            name = text(user, "user_display_name") or event.user_name(user_id)
            yield _person(event, "user", user_id, name, user)
    for consumer in objects_in(event.object, "consumers"):
        if consumer_id := id_text(consumer, "consumer_id"):
            name = text(consumer, "consumer_display_name")
            yield _person(event, "consumer", consumer_id, name, consumer)


def _person(
    event: ParsedEvent, kind: str, person_id: str, name: str | None, entity: JsonObject
) -> ColumnUpdate:
    """Return the update of one person; ``entity`` holds a user's teams, or another's number."""
    registers: dict[str, Values] = {}
    if name:
        registers["name"] = (name,)
    if kind == "consumer":
        if number := id_text(entity, "consumer_number"):
            registers["number"] = (number,)
    else:
        registers |= team_registers(entity)
    bounds = {"first_seen_at": event.occurred_at_ms}
    person, bound = _answered_or_ended.get(event.name, ("", ""))
    if person == kind:
        bounds[bound] = event.occurred_at_ms
    key = event.account_id, event.engagement_id, kind, person_id
    return ColumnUpdate(participant, key, registers, bounds)


def team_registers(entity: JsonObject) -> Mapping[str, Values]:
    """Return an object's teams, by register; null carries nothing."""
    return {"teams": teams_of(entity)} if isinstance(entity.get("teams"), list) else {}


def teams_of(entity: JsonObject) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ids and names of the teams that an object lists, in its order."""
    teams = list(objects_in(entity, "teams"))
    return (
        tuple([text(team, "team_id") or "" for team in teams]),
        tuple([text(team, "team_name") or "" for team in teams]),
    )
