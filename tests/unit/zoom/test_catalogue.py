"""How an operation is found and what its names are in Python."""

import pytest

from zoom.catalogue import UnknownOperationError, body_schema, find, operations, reply_schema
from zoom.limits import Label


def test_an_operation_describes_how_it_is_called() -> None:
    operation = find("list_engagements")
    assert (operation.method, operation.path) == ("GET", "/contact_center/engagements")
    assert (operation.resource, operation.action, operation.label) == (
        "engagements",
        "list",
        Label.HEAVY,
    )
    assert (operation.writes, operation.for_master) == (False, False)
    assert operation.scopes.all == (
        "contact_center:read:list_engagements:admin",
        "contact_center_report:read:admin",
    )
    assert operation.paging is not None
    assert (operation.paging.size_default, operation.paging.size_max) == (10, 100)
    (window,) = operation.windows
    assert (window.longest_days, window.beyond, window.z_is_literal) == (28, "refused", True)


def test_what_changes_something_and_what_only_a_master_account_may_ask_say_so() -> None:
    assert find("delete_recording").writes
    assert find("list_account_sms").for_master


def test_a_keyword_of_python_gets_an_underscore_as_argument_and_keeps_its_name() -> None:
    parameters = {each.name: each.argument for each in find("list_engagements").parameters}
    assert parameters["from"] == "from_"
    assert parameters["to"] == "to"


def test_an_id_that_would_address_another_operation_is_reserved() -> None:
    (engagement_id,) = find("get_engagement").parameters
    assert engagement_id.reserved == ("notes",)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("get_engagment", "get_engagement"),
        ("list_queue", "list_queues"),
        ("getUser", "get_user"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_ones(name: str, nearest: str) -> None:
    with pytest.raises(UnknownOperationError, match=rf"'{name}': did you mean .*\b{nearest}\b"):
        find(name)


def test_a_name_that_is_near_none_is_refused_with_where_they_stand() -> None:
    with pytest.raises(UnknownOperationError, match="zcc api list"):
        find("???")


def test_schemas_are_there_only_for_what_has_a_body() -> None:
    update = find("update_queue")
    assert body_schema(update) is not None
    assert reply_schema(update) is None
    assert body_schema(find("get_queue")) is None
    reply = reply_schema(find("get_queue"))
    assert reply is not None
    assert "cc_queue_id" in reply["properties"]


def test_the_catalogue_cannot_be_changed_by_who_reads_it() -> None:
    with pytest.raises(TypeError):
        operations()["new"] = find("get_user")  # type: ignore[index] # that it fails is the case
