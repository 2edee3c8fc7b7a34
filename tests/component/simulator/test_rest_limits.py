"""Scopes, limits by label, second and day, and checks of what was sent, as seen on the wire."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData

from tests.support.simulator_api import Api, StoppedClock, inventing_api
from zoom.catalogue import operations

LABELS = {"light": "/skills/s", "medium": "/skills", "heavy": "/sms"}


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def api(clock: StoppedClock) -> AsyncIterator[Api]:
    async with inventing_api(clock) as running:
        yield running


@pytest.mark.parametrize("label", LABELS)
async def test_a_second_allows_so_many_of_a_label(clock: StoppedClock, label: str) -> None:
    limits: dict[str, Any] = {f"rest_{label}_per_s": 2}
    async with inventing_api(clock, **limits) as api:
        replies = [await api.get(LABELS[label]) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[0].headers["X-RateLimit-Category"] == label.capitalize()
        assert replies[0].headers["X-RateLimit-Limit"] == "2"
        assert replies[2].headers["X-RateLimit-Reset"] == str(int(clock.s) + 1)
        assert replies[2].headers["X-RateLimit-Type"] == "QPS"
        others = [await api.get(path) for other, path in LABELS.items() if other != label]
        assert [reply.status for reply in others] == [200, 200]
        clock.s += 1
        assert (await api.get(LABELS[label])).status == 200


@pytest.mark.parametrize("label", LABELS)
async def test_a_day_allows_so_many_of_a_label(clock: StoppedClock, label: str) -> None:
    limits: dict[str, Any] = {f"rest_{label}_per_day": 2, "rest_token_lifetime_s": 10**6}
    async with inventing_api(clock, **limits) as api:
        replies = [await api.get(LABELS[label]) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[2].headers["X-RateLimit-Type"] == "Daily-limit"
        assert replies[2].headers["X-RateLimit-Limit"] == "2"
        assert replies[2].headers["Retry-After"] == "2025-06-16T00:00:00Z"
        clock.s += 3600
        assert (await api.get(LABELS[label])).status == 429
        clock.s = 1_750_032_000.0  # 2025-06-16T00:00:00Z
        assert (await api.get(LABELS[label])).status == 200


async def test_the_code_of_a_429_is_the_one_that_the_operation_documents(
    clock: StoppedClock,
) -> None:
    async with inventing_api(clock, rest_light_per_s=1) as api:
        await api.get("/skills/s")
        assert (await api.get("/skills/s")).code == 4001
        assert (await api.get("/address_books/b")).code == 429


async def test_a_token_has_the_scopes_of_the_app_and_no_others(clock: StoppedClock) -> None:
    scopes = "contact_center:read:skill:admin contact_center_skill:read:admin"
    async with inventing_api(clock, rest_scopes=scopes) as api:
        form = {"grant_type": "account_credentials", "account_id": "a"}
        assert (await api.request_token(**form)).body["scope"] == scopes
        assert (await api.get("/skills/s")).status == 200
        refused = await api.get("/roles/r")
        assert (refused.status, refused.code) == (403, 4711)
        assert "contact_center:read:role:admin" in str(refused.body["message"])


async def test_any_one_scope_of_an_operation_is_enough(clock: StoppedClock) -> None:
    async with inventing_api(clock, rest_scopes="contact_center_role:read:admin") as api:
        assert (await api.get("/roles/r")).status == 200


async def test_a_token_has_all_granular_scopes_by_default(api: Api) -> None:
    form = {"grant_type": "account_credentials", "account_id": "a"}
    known = (scope for o in operations().values() for scope in o.scopes.granular)
    assert (await api.request_token(**form)).body["scope"] == " ".join(sorted(set(known)))


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/address_books", {"page_size": "0", "unit_id": "u"}, "page_size"),
        ("/skills", {"page_size": "301"}, "page_size"),
        ("/skills", {"page_size": "ten"}, "page_size"),
        ("/skills", {"skill_type": "unheard_of"}, "skill_type"),
        ("/flows_entry_points", {}, "channel"),
        ("/sms", {"from": "2025-06-01"}, "to"),
        ("/sms", {"from": "2025-06-02", "to": "2025-06-01"}, "to"),
        ("/voice_calls", {"from": "2025-04-01", "to": "2025-06-01"}, "to"),
        ("/voice_calls", {"from": "yesterday", "to": "2025-06-01"}, "from"),
        (
            "/analytics/agents/status_history",
            {"from": "2024-11-01", "to": "2024-11-02"},
            "from",
        ),
        ("/skills", {"next_page_token": "abc"}, "next_page_token"),
    ],
)
async def test_a_parameter_that_is_wrong_is_refused_by_name(
    api: Api, path: str, query: dict[str, str], field: str
) -> None:
    reply = await api.get(path, **query)
    assert (reply.status, reply.code, reply.wrong_fields) == (400, 300, [field])
    assert isinstance(reply.body["message"], str)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"json": {}}, ["body.category_name", "body.category_scope"]),
        ({"json": {"category_name": 7, "category_scope": "x"}}, ["body.category_name"]),
        ({"json": []}, ["body"]),
        ({"data": b"{", "headers": {"content-type": "application/json"}}, ["body"]),
        ({"data": b"{}", "headers": {"content-type": "text/plain"}}, ["body"]),
        ({}, ["body"]),
    ],
)
async def test_a_body_that_is_wrong_is_refused_by_member(
    api: Api, body: dict[str, Any], fields: list[str]
) -> None:
    path = "/v2/contact_center/asset_library/categories"
    reply = await api.send("POST", path, **body)
    assert (reply.status, reply.code) == (400, 300)
    assert set(reply.wrong_fields) >= set(fields)


async def test_a_form_without_what_it_must_have_is_refused(api: Api) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("asset_language", "en-US")
    reply = await api.send("POST", "/v2/contact_center/asset_library/assets", data=form)
    assert reply.status == 400
    assert "body.asset_name" in reply.wrong_fields


async def test_a_window_that_is_too_long_is_cut_without_a_word_where_zoom_cuts_it(
    api: Api,
) -> None:
    ends = {"from": "2025-03-01T00:00:00Z", "to": "2025-06-01T00:00:00Z"}
    long = await api.get("/sms", page_size="100", **ends)
    month = await api.get("/sms", page_size="100", **(ends | {"to": "2025-03-29T00:00:00Z"}))
    assert long.status == 200
    assert long.body["total_records"] == month.body["total_records"]
    assert long.body["to"] == ends["to"]


async def test_windows_that_follow_each_other_hold_every_item_of_the_span(api: Api) -> None:
    async def ids(start: str, end: str) -> list[object]:
        query = {"from": f"2025-06-{start}Z", "to": f"2025-06-{end}Z", "page_size": "100"}
        page = await api.get("/sms", **query)
        assert page.body["next_page_token"] == ""
        return [item["engagement_id"] for item in page.items("sms")]

    whole = await ids("01T00:00:00", "03T12:34:00")
    parts = await ids("01T00:00:00", "02T01:30:00") + await ids("02T01:30:01", "03T12:34:00")
    assert len(whole) == 61
    assert parts == whole


async def test_filters_stay_the_same_from_page_to_page(api: Api) -> None:
    token = str((await api.get("/skills", skill_type="text")).body["next_page_token"])
    assert (await api.get("/skills", next_page_token=token, skill_type="text")).status == 200
    reply = await api.get("/skills", next_page_token=token)
    assert (reply.status, reply.wrong_fields) == (400, ["next_page_token"])


async def test_a_window_that_was_left_out_does_not_move_from_page_to_page(
    api: Api, clock: StoppedClock
) -> None:
    first = await api.get("/sms", page_size="10")
    clock.s += 899
    second = await api.get("/sms", next_page_token=str(first.body["next_page_token"]))
    assert second.body["total_records"] == first.body["total_records"] == 24
    assert second.body["from"] == first.body["from"]


async def test_pages_by_number_end_with_the_last_record(api: Api) -> None:
    path = "/analytics/dataset/historical/custom_reports/r/widgets/w"
    sizes = []
    for page in ("1", "2", "3"):
        reply = await api.get(path, page=page, page_size="10")
        assert (reply.status, reply.body["page"], reply.body["total_records"]) == (
            200,
            int(page),
            24,
        )
        sizes.append(len(reply.items("data")))
    assert sizes == [10, 10, 4]
    assert (await api.get(path, page="0")).wrong_fields == ["page"]


async def test_a_page_holds_no_more_than_its_schema_says(api: Api) -> None:
    reply = await api.get("/teams", page_size="300")
    assert (reply.status, reply.body["page_size"]) == (200, 100)
