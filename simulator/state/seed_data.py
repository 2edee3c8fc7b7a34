"""Pure: the directory of a company before any scenario."""

from collections.abc import Mapping, Sequence
from typing import Final

from simulator.company import Company, CompanyQueue, CompanyUser, channel_types
from simulator.state import directory as kinds
from simulator.state.directory import Directory, DirectoryKind, Tie, derived_id
from simulator.state.seed_configuration import configuration_of
from simulator.state.words import queue_words

founded_time: Final = "2025-01-02T03:04:05Z"
"""The creation time of the initial entities."""

statuses: Final[Mapping[str, str]] = {
    "0": "Offline",
    "1": "Ready",
    "2": "Not Ready",
    "3": "Occupied",
}
"""Names by id, as in the events of users."""

skill_levels: Final = 5


def directory_of(company: Company) -> Directory:
    """Return the initial directory of a company."""
    directory = Directory()
    changed = {
        "created_time": founded_time,
        "modify_time": founded_time,
        "last_modified_time": founded_time,
        "modified_by": company.supervisors[0].user_id,
    }
    hours = _always_open()
    founded: Mapping[DirectoryKind, Sequence[dict[str, object]]] = {
        kinds.business_hour: [hours],
        kinds.user: [_user(user) for user in company.users],
        kinds.queue: [_queue(queue) | _operating_hours(hours) for queue in company.queues],
        kinds.flow: [_flow(queue) for queue in company.queues],
        kinds.team: [{"team_id": t.team_id, "team_name": t.team_name} for t in company.teams],
        kinds.role: _roles(company),
        kinds.disposition: [
            {
                "disposition_id": d.disposition_id,
                "disposition_name": d.disposition_name,
                "disposition_description": d.disposition_description,
                "disposition_type": "single",
                "status": "active",
                "sub_dispositions": [],
            }
            for d in company.dispositions
        ],
        kinds.skill: [_skill(n, skill_id) for n, skill_id in enumerate(company.skill_ids, 1)],
        kinds.system_status: [_status(*status) for status in statuses.items()],
        kinds.inbox: [
            {"inbox_id": i.inbox_id, "inbox_name": i.inbox_name, "inbox_type": "voicemail"}
            for i in company.inboxes
        ],
    }
    for kind, entities in (*founded.items(), *configuration_of(company).items()):
        for facts in entities:
            directory.founded(kind, changed | facts)
    _tie(directory, company)
    return directory


def _tie(directory: Directory, company: Company) -> None:
    for queue in company.queues:
        for agent in queue.agents:
            directory.tied("queue_agents", queue.cc_queue_id, agent.user_id)
        for supervisor in queue.supervisors:
            directory.tied("queue_supervisors", queue.cc_queue_id, supervisor.user_id)
    for user in company.users:
        tie: Tie = "team_supervisors" if user in company.supervisors else "team_agents"
        for team in user.teams:
            directory.tied(tie, team.team_id, user.user_id)


def _user(user: CompanyUser) -> dict[str, object]:
    return {
        "user_id": user.user_id,
        "cc_user_id": derived_id("Contact Center user", user.user_id),
        "display_name": user.display_name,
        "user_email": user.user_email,
        "role_id": user.role_id,
        "client_integration": "Default",
        "client_integration_name": "",
        "status_id": "1",
        "status_name": "Ready",
        "user_access": "active",
        "country_iso_code": user.country_iso_code,
        "package_name": "elite",
        "add_ons_plan": [],
        "emergency_calling": False,
    }


def _queue(queue: CompanyQueue) -> dict[str, object]:
    return {
        **queue_words(queue.settings),
        "cc_queue_id": queue.cc_queue_id,
        "queue_id": queue.queue_id,
        "queue_name": queue.queue_name,
        "channel": queue.channel,
        "channel_types": channel_types[queue.channel] or [],
        "caller_ids": [queue.flow.flow_number],
    }


def _operating_hours(hours: Mapping[str, object]) -> dict[str, object]:
    return {
        "business_hour_id": hours["business_hour_id"],
        "business_hour_name": hours["business_hour_name"],
        "account_default_business_hour": True,
        "operating_hours_overflow_enabled": False,
    }


def _flow(queue: CompanyQueue) -> dict[str, object]:
    entry = {
        "entry_id": derived_id("entry point", queue.flow.flow_id),
        "entry_name": queue.flow.flow_name,
        "entry_number": queue.flow.flow_number,
    }
    return {
        "flow_id": queue.flow.flow_id,
        "flow_name": queue.flow.flow_name,
        "channel": queue.channel,
        "status": "published",
        "entry_points": [entry],
    }


def _roles(company: Company) -> list[dict[str, object]]:
    names = {user.role_id: user.role_name for user in company.users}
    return [
        {"role_id": role_id, "role_name": name, "role_description": name}
        for role_id, name in names.items()
    ]


def _skill(ordinal: int, skill_id: str) -> dict[str, object]:
    return {
        "skill_id": skill_id,
        "skill_name": f"Skill {ordinal}",
        "skill_type": "proficiency",
        "max_proficiency_level": skill_levels,
    }


def _status(status_id: str, name: str) -> dict[str, object]:
    return {
        "status_id": status_id,
        "status_name": name,
        "status_type": "default",
        "status_category": "agent_status",
        "enable": True,
        "status_assigned_queues": [],
    }


def _always_open() -> dict[str, object]:
    return {
        "business_hour_id": derived_id("business hours", "account default"),
        "business_hour_name": "24/7",
        "business_hour_description": "Always open",
        "timezone": "UTC",
        "account_default": True,
        "hours": {"hour_type": 1},
    }
