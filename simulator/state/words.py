"""Pure: translates names of facts that differ between events and the REST API.

Source: Zoom Contact Center webhooks and REST API, members of users, queues, closures and assets.
"""

from collections.abc import Mapping
from typing import Final, cast

from simulator.state.schema_projection import Facts

queue_renames: Final[Mapping[str, str]] = {
    "connecting_media_name": "connecting_media_filename",
    "transferring_media_name": "transferring_media_filename",
    "holding_media_name": "holding_media_filename",
}

abandon: Final[Mapping[str, str]] = {
    "short_abandon_enable": "enable",
    "short_abandon_threshold": "threshold",
}

channels_by_type: Final[Mapping[str, str]] = {
    "voice": "voice",
    "video": "video",
    "chat": "messaging",
    "sms": "messaging",
    "in_app_chat": "messaging",
    "messaging": "messaging",
    "work_item": "work_item",
}


def user_words(payload: Facts) -> dict[str, object]:
    """Return the facts of an event's user, under the REST API's names."""
    facts = dict(payload)
    if isinstance(package := payload.get("user_package"), dict):
        facts["package_name"] = package.get("package_name")
    if isinstance(plans := payload.get("user_add_ons_plans"), list):
        facts["add_ons_plan"] = [plan.get("add_ons_plan_name") for plan in plans]
    return facts


def queue_words(payload: Facts) -> dict[str, object]:
    """Return the facts of an event's queue, under the REST API's names."""
    facts = {queue_renames.get(name, name): value for name, value in payload.items()}
    facts["short_abandon"] = {abandon[name]: payload[name] for name in abandon if name in payload}
    types = cast("list[str]", payload.get("channel_types") or [])
    if types and "channel" not in payload:
        facts["channel"] = channels_by_type.get(types[0])
    return facts
