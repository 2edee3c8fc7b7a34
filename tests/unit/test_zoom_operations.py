"""How operations are addressed and their replies read."""

import pytest

from zoom.entities import Queue, User
from zoom.errors import Fault, UnavailableError
from zoom.operations import escaped, get_queue, get_user, is_id, list_queues, list_users


@pytest.mark.parametrize(
    ("entity_id", "expected"),
    [
        ("abc-DEF_1.2", "abc-DEF_1.2"),
        ("a b=", "a%20b%3D"),
        ("a/b", "a%252Fb"),
        ("a+b=", "a%252Bb%253D"),
        ("é", "%C3%A9"),
    ],
)
def test_ids_are_escaped_twice_where_they_hold_a_slash_or_a_plus(
    entity_id: str, expected: str
) -> None:
    assert escaped(entity_id) == expected
    assert get_user.address(entity_id=entity_id, query={}).endswith(f"/users/{expected}")


@pytest.mark.parametrize(
    "text", ["", ".", "..", "me", "ME", "somebody@example.com", "a\x00b", "a\nb", "x" * 201]
)
def test_what_would_mean_another_thing_in_a_path_is_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("text", ["u", "x" * 200, "aB3/+==", "a.b"])
def test_zooms_ids_are_ids(text: str) -> None:
    assert is_id(text)


def test_a_query_is_escaped() -> None:
    address = list_users.address(query={"next_page_token": "a+b/c=&d"})
    assert address == "/contact_center/users?next_page_token=a%2Bb%2Fc%3D%26d"


def test_replies_are_read_and_unknown_or_null_members_do_no_harm() -> None:
    assert get_user.read(b'{"user_id":"u","display_name":"Ann","new":{}}') == User("u", "Ann")
    assert get_user.read(b'{"user_id":"u","display_name":null}') == User("u", "")
    queue = get_queue.read(b'{"queue_id":"old","cc_queue_id":"new","queue_name":"Help"}')
    assert queue == Queue(cc_queue_id="new", queue_id="old", queue_name="Help")
    page = list_queues.read(b'{"queues":[{"queue_id":"q"}],"next_page_token":"t"}')
    assert (page.items, page.next_page_token) == ((Queue(queue_id="q"),), "t")
    assert list_users.read(b'{"users":[]}').next_page_token == ""


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<html>secret name</html>", Fault.NOT_JSON),
        (b'{"user_id":"secret name"', Fault.NOT_JSON),
        (b'{"user_id":"\\ud800"}', Fault.NOT_JSON),
        (b'{"code":200,"message":"secret name"}', Fault.UNEXPECTED),
        (b'{"user_id":""}', Fault.UNEXPECTED),
        (b'{"user_id":{"secret name":1}}', Fault.UNEXPECTED),
        (b'["secret name"]', Fault.UNEXPECTED),
    ],
)
def test_what_is_no_reply_is_named_without_quoting_it(body: bytes, fault: Fault) -> None:
    with pytest.raises(UnavailableError) as caught:
        get_user.read(body)
    assert caught.value.fault is fault
    assert "secret name" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_queue_needs_one_of_its_ids() -> None:
    with pytest.raises(UnavailableError, match="get_queue"):
        get_queue.read(b'{"queue_name":"Help"}')
