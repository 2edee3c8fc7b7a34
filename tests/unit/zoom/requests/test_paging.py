"""Lists are read to their end, or an error says why not."""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.each_case import each_case
from tests.support.fakes.zoom import VirtualClock
from zoom.catalogue import Operation, find, operations
from zoom.errors import ArgumentError, RefusedError, UnavailableError, ZoomFault
from zoom.requests.paging import (
    ExpiredWalkError,
    IncompleteListError,
    RepeatedPageError,
    items,
    max_empty_pages,
    page_at,
    pages,
    token_lifetime_s,
)

lists = [each for each in operations().values() if each.paging is not None]
by_token = [each for each in lists if each.paging and each.paging.style == "next_page_token"]
unpaged = [each for each in operations().values() if each.reply.items and each.paging is None]
queues, reports = find("list_queues"), find("list_custom_report_data")


class Script:
    """A `zoom.messages.Caller` that gives one document after the other."""

    def __init__(self, *documents: Any) -> None:
        self.documents = list(documents)
        self.calls: list[dict[str, Any]] = []

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> Any:
        self.calls.append(arguments)
        return self.documents.pop(0)


class Repeating:
    """A `zoom.messages.Caller` that never comes to an end."""

    def __init__(self, document: Callable[[int], Any]) -> None:
        self.document = document
        self.calls = 0

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> Any:
        self.calls += 1
        return self.document(self.calls)


async def read(caller: Any, operation: Operation, **arguments: object) -> list[Any]:
    return [item async for item in items(caller, operation, arguments)]


def page(operation: Operation, *records: object, **members: object) -> dict[str, Any]:
    return {str(operation.reply.items): list(records)} | members


def needed(operation: Operation) -> dict[str, object]:
    return {each.argument: "x" for each in operation.parameters if each.required}


@each_case("operation", by_token, name=lambda each: each.name)
async def test_a_list_by_token_is_read_to_its_end_with_the_same_arguments(
    operation: Operation,
) -> None:
    caller = Script(
        page(operation, "a", "b", next_page_token="t1", has_more=True),
        page(operation, next_page_token="t2", has_more=True),
        page(operation, "c", next_page_token="", has_more=False),
    )
    fixed = needed(operation)
    assert await read(caller, operation, **fixed) == ["a", "b", "c"]
    largest = operation.paging.size_max if operation.paging else None
    fixed |= {} if largest is None else {"page_size": largest}
    assert caller.calls == [
        fixed,
        fixed | {"next_page_token": "t1"},
        fixed | {"next_page_token": "t2"},
    ]


def test_every_list_operation_is_of_a_style_that_is_tried_here() -> None:
    others = {each.name for each in lists} - {each.name for each in by_token}
    assert others == {"list_inbox_queues", "list_custom_report_data"}
    assert len(by_token) == 96


@pytest.mark.parametrize("operation", unpaged, ids=lambda each: each.name)
async def test_a_list_without_pages_is_one_page(operation: Operation) -> None:
    caller = Script(page(operation, "a", "b"))
    assert await read(caller, operation) == ["a", "b"]
    assert caller.calls == [{}]


async def test_pages_come_whole_with_all_that_zoom_says_of_them() -> None:
    first = page(queues, "a", next_page_token="t", total_records=2, new="unknown")
    caller = Script(first, page(queues, "b"))
    assert [each async for each in pages(caller, queues, {})] == [first, page(queues, "b")]


async def test_a_short_page_is_no_end_and_none_is_left_out_of_the_arguments() -> None:
    caller = Script(page(queues, "a", next_page_token="t"), page(queues, *"bcd"))
    assert await read(caller, queues, page_size=3, channel=None) == ["a", "b", "c", "d"]
    assert caller.calls == [{"page_size": 3}, {"page_size": 3, "next_page_token": "t"}]


async def test_a_thing_that_moved_to_the_next_page_comes_twice() -> None:
    caller = Script(page(queues, "a", "b", next_page_token="t"), page(queues, "b", "c"))
    assert await read(caller, queues) == ["a", "b", "b", "c"]


@pytest.mark.parametrize("name", ["next_page_token", "page"])
async def test_a_caller_cannot_turn_pages_itself(name: str) -> None:
    caller = Script()
    with pytest.raises(ArgumentError, match=f"list_queues: {name}: expected none"):
        await read(caller, queues, **{name: "1"})


async def test_what_is_no_list_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(RefusedError, match="get_queue returns no list"):
        await read(Script(), find("get_queue"), queue_id="q")


@pytest.mark.parametrize("token", ["t1", "t2"])
async def test_a_token_that_repeats_ends_in_an_error(token: str) -> None:
    caller = Script(
        page(queues, "a", next_page_token="t1"),
        page(queues, "b", next_page_token="t2"),
        page(queues, "c", next_page_token=token),
    )
    with pytest.raises(RepeatedPageError, match="list_queues: the token of a page comes twice"):
        await read(caller, queues)


async def test_a_page_that_repeats_under_new_tokens_ends_in_an_error() -> None:
    caller = Repeating(lambda call: page(queues, {"id": 1}, next_page_token=f"t{call}"))
    with pytest.raises(RepeatedPageError, match="a page comes twice"):
        await read(caller, queues)
    assert caller.calls == 2


async def test_empty_pages_without_end_end_in_an_error() -> None:
    caller = Repeating(lambda call: page(queues, next_page_token=f"t{call}"))
    with pytest.raises(UnavailableError, match="100 empty pages in a row"):
        await read(caller, queues)
    assert caller.calls == max_empty_pages


async def test_empty_pages_between_others_are_no_end_however_many() -> None:
    calls = 3 * max_empty_pages

    def alternating(call: int) -> dict[str, Any]:
        token = {"next_page_token": f"t{call}"} if call < calls else {}
        return page(queues, *([call] if call % 2 else []), **token)

    assert await read(Repeating(alternating), queues) == list(range(1, calls, 2))


@pytest.mark.parametrize(
    "document", [None, {}, [], {"queues": None}, {"queues": {}}, {"users": []}, "queues"]
)
async def test_a_page_without_its_list_is_an_error(document: object) -> None:
    with pytest.raises(UnavailableError, match="list_queues: a page without its list 'queues'"):
        await read(Script(document), queues)


@pytest.mark.parametrize("token", [7, {"a": 1}, ["t"], True])
async def test_a_token_that_is_no_text_is_an_error(token: object) -> None:
    with pytest.raises(UnavailableError, match="the token of a page is not a string"):
        await read(Script(page(queues, next_page_token=token)), queues)


@pytest.mark.parametrize("end", [{}, {"next_page_token": ""}, {"next_page_token": None}])
async def test_a_list_ends_where_the_token_is_missing_or_empty(end: Mapping[str, object]) -> None:
    assert await read(Script(page(queues, "a", **end)), queues) == ["a"]


async def test_a_token_is_used_up_to_its_fifteenth_minute_and_no_longer() -> None:
    clock = VirtualClock()
    caller = Script(*[page(queues, f"{i}", next_page_token=f"t{i}") for i in range(3)])
    async with aclosing(items(caller, queues, {}, clock=clock)) as walk:
        assert await anext(walk) == "0"
        clock.elapsed_s += token_lifetime_s - 1
        assert await anext(walk) == "1"
        clock.elapsed_s += token_lifetime_s
        with pytest.raises(ExpiredWalkError, match="begin anew"):
            await anext(walk)
    assert len(caller.calls) == 2


async def test_more_than_can_be_requested_is_yielded_and_then_reported() -> None:
    operation = find("list_inbox_queues")
    assert await read(Script(page(operation, "a")), operation, inbox_id="i") == ["a"]
    caller = Script(page(operation, "a", next_page_token="t"))
    async with aclosing(items(caller, operation, {"inbox_id": "i"})) as walk:
        assert await anext(walk) == "a"
        with pytest.raises(IncompleteListError, match="list_inbox_queues: there is more"):
            await anext(walk)


histories = ["list_email_messages", "list_messaging_messages", "list_work_item_messages"]


@pytest.mark.parametrize("name", histories)
async def test_a_history_that_has_more_must_say_how_to_get_it(name: str) -> None:
    operation = find(name)
    with pytest.raises(UnavailableError, match="there is more, but no token for it came"):
        await read(Script(page(operation, "a", has_more=True)), operation, engagement_id="e")


@pytest.mark.parametrize("name", histories)
async def test_a_history_that_has_no_more_ends_though_a_token_came(name: str) -> None:
    operation = find(name)
    last = page(operation, "a", has_more=False, next_page_token="t")
    assert await read(Script(last), operation, engagement_id="e") == ["a"]


class TestPageNumbers:
    async def test_pages_are_requested_by_number_until_all_records_came(self) -> None:
        caller = Script(
            page(reports, "a", "b", page=1, total_records=3),
            page(reports, "c", page=2, total_records=3),
        )
        assert await read(caller, reports, report_id="r") == ["a", "b", "c"]
        fixed = {"report_id": "r", "page_size": 300}
        assert caller.calls == [fixed | {"page": 1}, fixed | {"page": 2}]

    async def test_equal_rows_are_rows(self) -> None:
        caller = Script(*[page(reports, "a", total_records=2)] * 2)
        assert await read(caller, reports, page_size=1) == ["a", "a"]

    async def test_an_empty_list_is_one_page(self) -> None:
        assert await read(Script(page(reports, total_records=0)), reports) == []

    async def test_without_a_total_an_empty_page_ends_the_list(self) -> None:
        caller = Script(page(reports, "a"), page(reports, "b", total_records=None), page(reports))
        assert await read(caller, reports) == ["a", "b"]

    async def test_without_a_total_a_page_that_repeats_is_an_error(self) -> None:
        with pytest.raises(RepeatedPageError):
            await read(Repeating(lambda _: page(reports, "a")), reports)

    async def test_another_page_than_the_requested_one_is_an_error(self) -> None:
        with pytest.raises(RepeatedPageError):
            await read(Repeating(lambda _: page(reports, "a", page=1, total_records=9)), reports)

    async def test_a_list_that_ends_before_its_total_is_an_error(self) -> None:
        caller = Script(page(reports, "a", total_records=3), page(reports, total_records=3))
        with pytest.raises(UnavailableError, match="1 of 3 records came") as caught:
            await read(caller, reports)
        assert caught.value.fault is ZoomFault.UNEXPECTED


async def test_each_window_of_a_long_span_is_walked_to_its_end() -> None:
    operation = find("list_engagements")
    caller = Script(
        page(operation, "a", next_page_token="t"), page(operation, "b"), page(operation, "c")
    )
    span = {"from_": "2026-01-01T00:00:00+00:00", "to": "2026-02-01T00:00:00+00:00"}
    assert await read(caller, operation, **span) == ["a", "b", "c"]
    first = {
        "from_": "2026-01-01T00:00:00+00:00",
        "to": "2026-01-29T00:00:00+00:00",
        "page_size": 100,
    }
    second = {
        "from_": "2026-01-29T00:00:00+00:00",
        "to": "2026-02-01T00:00:00+00:00",
        "page_size": 100,
    }
    assert caller.calls == [first, first | {"next_page_token": "t"}, second]


async def test_the_clock_of_the_walk_decides_what_zoom_no_longer_has() -> None:
    clock = VirtualClock()
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    span = {"from_": "2025-06-01", "to": "2025-06-02"}
    walk = items(Script(), find("list_agent_status_history"), span, clock=clock)
    with pytest.raises(ArgumentError, match="no earlier than 2025-07-05"):
        await anext(walk)


async def test_one_page_comes_with_the_token_of_the_next_for_who_continues_elsewhere() -> None:
    caller = Script(page(queues, "a", next_page_token="t"), page(queues, "b", next_page_token=""))

    assert await page_at(caller, queues, {"page_size": 1}) == (["a"], "t")
    assert await page_at(caller, queues, {"page_size": 1}, token="t") == (["b"], "")
    assert caller.calls == [{"page_size": 1}, {"page_size": 1, "next_page_token": "t"}]


async def test_the_page_of_a_list_without_pages_is_its_last() -> None:
    caller = Script(page(unpaged[0], "a", next_page_token="of no use"))
    assert await page_at(caller, unpaged[0], {}) == (["a"], "")


@pytest.mark.parametrize(
    "document", [None, [], {"queues": "x"}, {"queues": [], "next_page_token": 7}]
)
async def test_a_single_page_without_its_list_or_with_a_strange_token_is_an_error(
    document: object,
) -> None:
    with pytest.raises(UnavailableError):
        await page_at(Script(document), queues, {})
