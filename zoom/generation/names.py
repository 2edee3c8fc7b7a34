"""Pure: the name of an operation, from its method and path alone.

The vendor's own ids do not serve: some hold spaces and quotes, two are used twice, and they follow
no common form. Calls depend on method and path anyway, and no editor rewords those.

A name is a verb and a noun. The noun follows the path, parent first. All of it is singular but the
last segment, which is plural where the call concerns several entities: a list, a batch, a
membership (``/queues/{}/agents``: ``queue_agents``). A segment that only sorts the vendor's pages
is left out (`_readings`). The verb follows the method, with two exceptions: a path that ends in a
verb (``/flows/{}/publish``: ``publish_flow``), and a call that adds an independent entity to a
parent or removes it (``assign_queue_agents``, ``unassign_queue_agent``). `_by_hand` names the
operations that read badly by these rules. A test holds the list of all names, so none changes
unseen.
"""

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import Final

from zoom.messages import Method

_parameter: Final = "{}"

_readings: Final[tuple[tuple[str, str], ...]] = (
    (r"^accounts/{}/", "account_"),
    (r"^{}/rtms_app/", "engagements/{}/rtms_app/"),
    (r"^analytics/dataset/historical/custom_reports/{}/widgets/{}$", "custom_report_data"),
    (r"^analytics/dataset/historical/custom_reports/{}/widgets/{}/", "custom_report/"),
    (r"^analytics/dataset/historical/(\w+)$", r"\1_dataset"),
    (r"^analytics/log/historical/(\w+)$", r"\1_logs"),
    (r"^analytics/historical/queues/agents/", "historical_agents/"),
    (r"^analytics/historical/", "historical_"),
    (r"^(analytics|reports)/(?!{)", ""),
    (r"^asset_library/categories", "asset_categories"),
    (r"^asset_library/", ""),
    (r"^block_list_rules/ip_addresses", "ip_address_block_list_rules"),
    (r"^block_list_rules/phone_numbers", "phone_number_block_list_rules"),
    (r"^closures", "closure_sets"),
    (r"^engagements/notes$", "notes"),
    (r"^outbound_campaign/campaigns", "campaigns"),
    (r"^outbound_campaign/", "campaign_"),
)
"""Rewritings of paths, the first that fits; ``{}`` stands for a parameter."""

_by_hand: Final[Mapping[str, str]] = {
    "DELETE flows/{}/entry_points": "remove_flow_entry_points",
    "DELETE inboxes/messages": "delete_messages_of_inboxes",
    "GET flows_entry_points": "list_entry_points_of_flows",
    "GET inboxes/messages": "list_messages_of_inboxes",
    "PATCH users/status": "update_statuses_of_users",
    "PATCH users/{}/opt_in_out_queues": "opt_user_in_or_out_of_queues",
    "POST engagement": "start_engagement",
    "POST flows": "import_flow",
    "POST flows/{}/entry_points": "add_flow_entry_points",
    "POST ip_address_block_list_rules": "create_ip_address_block_list_rules",
    "POST messages": "send_message",
    "POST campaign_dnc_lists/{}/phones": "create_campaign_dnc_list_phones",
    "POST phone_number_block_list_rules": "create_phone_number_block_list_rules",
    "POST queues/{}/scheduled_callbacks/events": "schedule_queue_callback",
    "POST sms": "send_sms",
    "POST users/{}/commands": "send_user_command",
    "PUT engagements/{}/recording/{}": "control_engagement_recording",
}
"""Names by method and rewritten path."""

_verbs: Final[Mapping[Method, str]] = {
    "GET": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}

_verbs_of_members: Final[Mapping[Method, str]] = {"POST": "assign", "DELETE": "unassign"}

_verbs_in_paths: Final = frozenset({"duplicate", "export", "move", "publish"})

_members: Final = frozenset(
    {"agents", "dispositions", "queues", "sets", "skills", "supervisors", "teams", "users"}
)
"""Entities that exist independently, and join their parent in a path by assignment."""

_never_plural: Final = frozenset({"sms", "status", "operating_hours"})


class UnnamedError(ValueError):
    """A path that yields no name."""


def operation_name(method: Method, path: str, *, paged: bool) -> str:
    """Name an operation.

    Args:
        method: of HTTP.
        path: the template as the vendor writes it.
        paged: it answers with pages of a list.

    Raises:
        UnnamedError: the path holds nothing but parameters.
    """
    read = _reading(path)
    if (name := _by_hand.get(f"{method} {read}")) is not None:
        return name
    segments = read.removesuffix("/batch").split("/")
    nouns = [segment for segment in segments if segment != _parameter]
    if not nouns:
        raise UnnamedError("nothing names it: name it in zoom/generation/names.py")
    *parents, last = nouns
    if last in _verbs_in_paths:
        return "_".join([last, *map(singular, parents)])
    member = last in _members and _parameter in segments[:-1] and method in _verbs_of_members
    verb = (_verbs_of_members if member else _verbs)[method]
    if segments[-1] == _parameter:
        last = singular(last)
    elif method == "GET" and (paged or singular(last) != last):
        verb = "list"
    elif method == "POST" and not member and not read.endswith("/batch"):
        last = singular(last)
    return "_".join([verb, *map(singular, parents), last])


def _reading(path: str) -> str:
    """Return the path with ``{}`` for each parameter, without the segments that only sort."""
    read = re.sub(r"{\w+}", _parameter, path).replace("/contact_center", "").strip("/")
    for pattern, reading in _readings:
        replaced, count = re.subn(pattern, reading, read)
        if count:
            return replaced
    return read


def resource_name(tag: str) -> str:
    """Return the name of the typed client's group for operations with this tag."""
    return snake(re.sub(r"\(.*\)", "", tag).strip())


def action_name(name: str, resource: str) -> str:
    """Return the name of the method in such a group: the operation without the group's noun.

    ``list_queues`` of ``queues`` is ``list``, ``update_queue_agent`` is ``update_agent``. A batch
    of deletions is ``delete_many``, and a name that would be a keyword of Python stays complete:
    ``import_flow``.
    """
    verb, _, noun = name.partition("_")
    if noun == resource and noun != singular(resource) and verb != "list":
        return f"{verb}_many"
    for words in (resource, singular(resource)):
        if noun == words or noun.startswith(f"{words}_"):
            action = verb + noun.removeprefix(words)
            return name if iskeyword(action) else action
    return name


def snake(text: str) -> str:
    """Write ``aName``, ``a-name`` or ``A Name`` as ``a_name``."""
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)).lower()


def singular(noun: str) -> str:
    """Return the singular of a noun."""
    if noun in _never_plural:
        return noun
    if noun.endswith("ies"):
        return noun.removesuffix("ies") + "y"
    ending = "es" if noun.endswith(("sses", "tuses", "xes")) else "s"
    return noun.removesuffix(ending)
