"""Users and queues by id, and all of them."""

import pytest

from tests.support.fakes.zoom import Answer, ScriptedTransport, VirtualClock, client_with, reply
from zoom.entities import Queue, User
from zoom.errors import (
    AbsentError,
    ForbiddenError,
    RefusedError,
    UnavailableError,
    ZoomFault,
)
from zoom.lookups import EntityLookup, is_id, queue_lookup, user_lookup
from zoom.messages import ApiResponse

ann = reply(200, {"user_id": "u1", "display_name": "Ann", "new": {}})


class Api:
    def __init__(self, *script: Answer) -> None:
        self.transport = ScriptedTransport(*script)
        client = client_with(self.transport, VirtualClock())
        self.users: EntityLookup[User] = user_lookup(client)
        self.queues: EntityLookup[Queue] = queue_lookup(client)


async def test_a_user_and_a_queue_are_found_by_id() -> None:
    api = Api(ann, reply(200, {"cc_queue_id": "q", "queue_id": None, "queue_name": "Help"}))
    assert await api.users.get("u1") == User("u1", "Ann")
    assert await api.queues.get("a/b") == Queue("q", "", "Help")
    assert [request.url for request in api.transport.requests] == [
        "https://api.zoom.us/v2/contact_center/users/u1",
        "https://api.zoom.us/v2/contact_center/queues/a%252Fb",
    ]


@pytest.mark.parametrize(
    "answer", [reply(404, {"code": 1001}), reply(410, {"code": 1001}), reply(400, {"code": 300})]
)
async def test_an_id_that_zoom_does_not_know_or_accept_names_nobody(answer: ApiResponse) -> None:
    assert await Api(answer).users.get("u1") is None


async def test_text_that_is_no_id_is_not_requested() -> None:
    api = Api()
    for text in ("..", "me", "a@example.com", "", "templates"):
        assert await api.users.get(text) is None
    assert api.transport.requests == []


@pytest.mark.parametrize(
    "text", ["", ".", "..", "me", "ME", "somebody@example.com", "a\x00b", "a\nb", "x" * 201]
)
def test_what_would_mean_another_thing_is_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("text", ["u", "x" * 200, "aB3/+==", "a.b"])
def test_zooms_ids_are_ids(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    "document",
    [{"user_id": ""}, {"user_id": {"secret name": 1}}, {"display_name": "secret name"}],
)
async def test_what_is_no_user_is_named_without_quoting_it(document: object) -> None:
    with pytest.raises(UnavailableError, match="get_user") as caught:
        await Api(reply(200, document)).users.get("u1")
    assert caught.value.fault is ZoomFault.UNEXPECTED
    assert "secret name" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_queue_needs_one_of_its_ids() -> None:
    with pytest.raises(UnavailableError, match="get_queue"):
        await Api(reply(200, {"queue_name": "Help"})).queues.get("q")


def page(*names: str, token: str = "") -> ApiResponse:
    users = [{"user_id": name, "display_name": name.upper()} for name in names]
    return reply(200, {"users": users, "next_page_token": token})


async def test_all_pages_are_read_even_short_and_empty_ones() -> None:
    api = Api(page("a", token="t/1+"), page(token="t2"), page("b"))
    assert [user.user_id async for user in api.users.all()] == ["a", "b"]
    assert [request.url.partition("?")[2] for request in api.transport.requests] == [
        "page_size=300",
        "next_page_token=t%2F1%2B&page_size=300",
        "next_page_token=t2&page_size=300",
    ]


async def test_a_page_that_comes_twice_ends_the_walk_with_an_error() -> None:
    api = Api(page("a", token="t1"), page("b", token="t2"), page("a", token="t1"))
    with pytest.raises(UnavailableError, match="twice"):
        _ = [user async for user in api.users.all()]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(404, {"code": 1}), AbsentError),
        (reply(400, {"code": 300}), RefusedError),
        (reply(403), ForbiddenError),
        (reply(200, {"page_size": 300}), UnavailableError),
        (reply(200, {"queues": [{"queue_name": "Help"}]}), UnavailableError),
    ],
)
async def test_a_list_that_is_not_there_is_an_error_never_an_empty_account(
    answer: ApiResponse, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        _ = [queue async for queue in Api(answer).queues.all()]
