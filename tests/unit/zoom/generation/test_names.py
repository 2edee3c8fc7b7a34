"""Names of operations, actions and resources."""

from typing import Any

import pytest

from zoom.generation.names import action_name, operation_name, resource_name, singular


@pytest.mark.parametrize(
    ("method", "path", "paged", "name"),
    [
        ("GET", "/contact_center/queues", True, "list_queues"),
        ("GET", "/contact_center/queues/{queueId}", False, "get_queue"),
        ("POST", "/contact_center/queues", False, "create_queue"),
        ("POST", "/contact_center/queues/batch", False, "create_queues"),
        ("DELETE", "/contact_center/users", False, "delete_users"),
        ("GET", "/contact_center/teams/{teamId}/parents", False, "list_team_parents"),
        (
            "GET",
            "/contact_center/engagements/{engagementId}/survey",
            False,
            "get_engagement_survey",
        ),
        ("POST", "/contact_center/queues/{queueId}/agents", False, "assign_queue_agents"),
        (
            "DELETE",
            "/contact_center/queues/{queueId}/agents/{userId}",
            False,
            "unassign_queue_agent",
        ),
        ("PATCH", "/contact_center/queues/{queueId}/agents/{userId}", False, "update_queue_agent"),
        ("POST", "/contact_center/dispositions/sets", False, "create_disposition_set"),
        ("PUT", "/contact_center/flows/{flowId}/publish", False, "publish_flow"),
        ("POST", "/contact_center/roles/duplicate", False, "duplicate_role"),
        ("GET", "/contact_center/asset_library/categories", True, "list_asset_categories"),
        ("GET", "/accounts/{accountId}/contact_center/sms", True, "list_account_sms"),
        ("POST", "/contact_center/engagement", False, "start_engagement"),
        ("GET", "/contact_center/reports/{reportId}", False, "get_report"),
    ],
)
def test_a_name_follows_from_method_and_path(
    method: Any, path: str, *, paged: bool, name: str
) -> None:
    assert operation_name(method, path, paged=paged) == name


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("inboxes", "inbox"),
        ("categories", "category"),
        ("system_statuses", "system_status"),
        ("ip_addresses", "ip_address"),
        ("devices", "device"),
        ("sms", "sms"),
        ("status", "status"),
    ],
)
def test_a_plural_has_its_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("name", "resource", "action"),
    [
        ("get_engagement", "engagements", "get"),
        ("list_queues", "queues", "list"),
        ("delete_queues", "queues", "delete_many"),
        ("update_queue_agent", "queues", "update_agent"),
        ("import_flow", "flows", "import_flow"),
        ("list_sms", "logs", "list_sms"),
        ("send_sms", "sms", "send"),
    ],
)
def test_an_action_leaves_out_what_its_resource_says(name: str, resource: str, action: str) -> None:
    assert action_name(name, resource) == action


def test_a_resource_is_called_as_its_tag_without_what_stands_in_brackets() -> None:
    assert resource_name("Reports V2 (CX Analytics)") == "reports_v2"
    assert resource_name("Follow-up Tasks") == "follow_up_tasks"
