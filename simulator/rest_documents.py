"""Pure: what the REST API says of users and queues, and how it says that something is wrong.

Source: Zoom Contact Center REST API, operations getUser, users, getAQueue, listQueues.
"""

from collections.abc import Mapping
from typing import Final

from simulator.company import Company, Queue, User, channel_types

Document = dict[str, object]

_modified: Final = "2025-01-02T03:04:05Z"

_shared_members: Final = frozenset(
    {
        "auto_close_message_enabled",
        "auto_close_timeout",
        "disposition_sets_count",
        "dispositions_count",
        "distribution_duration_in_seconds",
        "distribution_type",
        "max_engagement_in_queue",
        "max_wait_time",
        "queue_description",
        "recording_storage_location",
        "service_level_target_in_percentage",
        "service_level_threshold_in_seconds",
        "wrap_up_expiration",
        "wrap_up_time",
    }
)
"""Settings of a queue that its webhooks and the REST API call by one name."""


class ApiError(Exception):
    """An answer other than 200: HTTP status, a document with Zoom's own code, and headers."""

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.document: Document = {"code": code, "message": message}
        self.headers = headers or {}


def user_document(user: User) -> Document:
    """Return a user as asked for by id."""
    return _user(user) | {"client_integration_name": "", "emergency_calling": False}


def user_list_item(user: User, company: Company) -> Document:
    """Return a user as an item of the list."""
    modified_by = company.supervisors[0].user_id
    return _user(user) | {"modified_by": modified_by, "last_modified_time": _modified}


def queue_document(queue: Queue) -> Document:
    """Return a queue as asked for by id."""
    shared = {name: value for name, value in queue.settings.items() if name in _shared_members}
    return _queue(queue) | shared | {"teams": [], "caller_ids": [queue.flow.flow_number]}


def queue_list_item(queue: Queue, company: Company) -> Document:
    """Return a queue as an item of the list."""
    return _queue(queue) | {
        "agents_count": len(queue.agents),
        "supervisors_count": len(queue.supervisors),
        "modified_by": company.supervisors[0].user_id,
        "last_modified_time": _modified,
    }


def _user(user: User) -> Document:
    return {
        "user_id": user.user_id,
        "cc_user_id": user.user_id,
        "display_name": user.display_name,
        "user_email": user.user_email,
        "role_id": user.role_id,
        "role_name": user.role_name,
        "client_integration": "Default",
        "status_id": "1",
        "status_name": "Ready",
        "user_access": "active",
        "country_iso_code": user.country_iso_code,
        "package_name": "elite",
        "add_ons_plan": [],
        "teams": [{"team_id": team.team_id, "team_name": team.team_name} for team in user.teams],
    }


def _queue(queue: Queue) -> Document:
    return {
        "queue_id": queue.queue_id,
        "cc_queue_id": queue.cc_queue_id,
        "queue_name": queue.queue_name,
        "channel": queue.channel,
        "channel_types": channel_types[queue.channel] or [],
    }
