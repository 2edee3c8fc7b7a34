"""Pure: an engagement as facts under the names of the REST API.

V1 counts in seconds, V2, the reports called CX analytics, in milliseconds.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from simulator.state import directory as kinds
from simulator.state.directory import Directory
from simulator.state.engagement import Engagement
from simulator.state.entities import shown
from simulator.state.schema_projection import Facts
from simulator.synthetic_values import to_the_second

channel_sources_v2: Final[Mapping[object, str]] = {
    "whatsapp": "whats_app",
    "email_address": "email_domain",
}
"""V2's names of channel sources that differ from V1 and the events."""

conference_joined: Final = "conference_participant_joined"


def engagement_facts(engagement: Engagement, directory: Directory) -> dict[str, object]:
    """Return V1's facts of an engagement, open or ended."""
    lasted = engagement.durations
    facts = dict(engagement.facts)
    facts |= times(engagement) | {
        "engagement_id": engagement.engagement_id,
        "direction": facts.get("engagement_direction"),
        "channels": list(engagement.channels.values()),
        "channel_types": [facts.get("channel_type")],
        "consumers": [_consumer(consumer) for consumer in engagement.consumers.values()],
        "flows": list(engagement.flows.values()),
        "queues": queues(engagement, directory),
        "agents": agents(engagement, directory),
        "queue_wait_type": "live_waiting",
        "flow_duration": lasted["flow"] // 1000,
        "waiting_duration": lasted["waiting"] // 1000,
        "talk_duration": lasted["conversation"] // 1000,
        "handling_duration": lasted.handling_ms // 1000,
        "wrap_up_duration": lasted["wrap_up"] // 1000,
        "transfer_count": engagement.transfers,
        "transferCount": engagement.transfers,
        "voice_mail": len(engagement.voicemails),
        "dispositions": list(engagement.dispositions.values()),
        "notes": list(engagement.notes.values()),
        "events": [event_facts(event) for event in engagement.events],
        "transcript_url": engagement.transcript_url,
    }
    return facts


def event_facts(event: Facts) -> dict[str, object]:
    """Return an entry of the history of an engagement."""
    return dict(event) | {
        "event_name": event["event"],
        "event_type": event["event"],
        "direction": event.get("engagement_direction"),
        "supervisor_id": event.get("monitoring_user_id"),
        "supervisor_display_name": event.get("monitoring_user_display_name"),
        "upgraded_to_channel_type": event.get("upgrade_to_channel"),
    }


def times(engagement: Engagement) -> dict[str, object]:
    """Return start, end and duration in seconds; of an open engagement the start alone."""
    facts: dict[str, object] = {
        "start_time": to_the_second(engagement.start_ms),
        "end_time": None,
        "duration": None,
    }
    if engagement.end_ms is not None:
        facts["end_time"] = to_the_second(engagement.end_ms)
        facts["duration"] = (engagement.end_ms - engagement.start_ms) // 1000
    return facts


def queues(engagement: Engagement, directory: Directory) -> list[dict[str, object]]:
    """Return the queues of an engagement, each with both of its ids."""
    return [
        {**event_facts, **_members(directory.find(kinds.queue, queue_id), "queue_id", "queue_name")}
        for queue_id, event_facts in engagement.queues.items()
    ]


def agents(engagement: Engagement, directory: Directory) -> list[dict[str, object]]:
    """Return the agents of an engagement under all their names in documents."""
    return [agent_facts(event_facts, directory) for event_facts in engagement.agents.values()]


def agent_facts(agent: Facts, directory: Directory) -> dict[str, object]:
    """Return an agent, whose id and name come from an event."""
    known = directory.find(kinds.user, str(agent["user_id"]))
    user = shown(directory, kinds.user, known) if known else {}
    teams = cast("list[Facts]", user.get("teams") or agent.get("teams") or [])
    name = agent.get("user_display_name", user.get("display_name"))
    first: Facts = teams[0] if teams else {}
    return {
        **_members(known, "user_email"),
        "user_id": agent["user_id"],
        "display_name": name,
        "user_name": name,
        "teams": teams,
        "team_ids": [team.get("team_id") for team in teams],
        "team_names": [team.get("team_name") for team in teams],
        "team_id": first.get("team_id"),
        "team_name": first.get("team_name"),
    }


def v2_facts(engagement: Engagement, directory: Directory) -> dict[str, object]:
    """Return the facts of an ended engagement in the V2 datasets; durations are milliseconds."""
    lasted = engagement.durations
    event_facts = engagement.facts
    channels = [_v2_channel(channel) for channel in engagement.channels.values()]
    enter: Facts = channels[0] if channels else {}
    consumer: Facts = next(iter(engagement.consumers.values()), {})
    users = agents(engagement, directory)
    every_team = {team.get("team_id"): team for user in users for team in _teams(user)}
    end_ms = engagement.end_ms or engagement.start_ms
    return times(engagement) | {
        "engagement_id": engagement.engagement_id,
        "direction": event_facts.get("engagement_direction"),
        "enter_channel": enter.get("channel"),
        "enter_channel_source": enter.get("channel_source"),
        "channels": channels,
        "caller_id": event_facts.get("contact_center_number"),
        "dnis": event_facts.get("callee_number"),
        "ani": event_facts.get("caller_number"),
        "consumer": {
            "consumer_name": consumer.get("consumer_display_name"),
            "consumer_email": event_facts.get("consumer_email"),
        },
        "queues": [
            {"queue_id": queue["cc_queue_id"], "queue_name": queue.get("queue_name")}
            for queue in queues(engagement, directory)
        ],
        "users": users,
        "teams": list(every_team.values()),
        "duration": end_ms - engagement.start_ms,
        "handle_duration": lasted.handling_ms,
        "conversation_duration": lasted["conversation"],
        "wrap_up_duration": lasted["wrap_up"],
        "hold_duration": lasted["hold"],
        "hold_count": lasted.began["hold"],
        "transfer_initiated_count": engagement.transfers,
        "transfer_completed_count": len(_completed_transfers(engagement)),
        "conference_count": sum(e["event"] == conference_joined for e in engagement.events),
        "abandoned_count": int(abandoned(engagement)),
    }


def abandoned(engagement: Engagement) -> bool:
    """Return whether the consumer waited without an answer and left no message."""
    waited = engagement.durations.began["waiting"] > 0
    return waited and not engagement.durations.began["conversation"] and not engagement.voicemails


def _completed_transfers(engagement: Engagement) -> set[object]:
    """Return the tasks that transfers led to; a warm one reports it twice."""
    done = ("transfer_accepted", "transfer_completed")
    return {e.get("transfer_to_task_id") for e in engagement.events if e["event"] in done}


def _teams(user: Facts) -> Iterator[Facts]:
    yield from cast("list[Facts]", user["teams"])


def _v2_channel(channel: Facts) -> dict[str, object]:
    source = channel.get("channel_source")
    return dict(channel) | {"channel_source": channel_sources_v2.get(source, source)}


def _consumer(consumer: Facts) -> dict[str, object]:
    return dict(consumer) | {"consumer_email_address": consumer.get("consumer_email")}


def _members(facts: Facts | None, *names: str) -> dict[str, object]:
    return {name: facts[name] for name in names if name in facts} if facts else {}
