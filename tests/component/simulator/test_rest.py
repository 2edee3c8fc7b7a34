import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import encode_basic_auth
from yarl import URL

from simulator.company import Company, make_company
from simulator.service import AccountMismatchError
from tests.support.simulator_api import Api, StoppedClock, api_of_company, login


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(1)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def api(company: Company, clock: StoppedClock) -> AsyncIterator[Api]:
    async with api_of_company(company, clock) as running:
        yield running


async def test_credentials_of_the_app_bring_a_token_for_an_hour(api: Api, company: Company) -> None:
    reply = await api.request_token(grant_type="account_credentials", account_id=company.account_id)
    assert reply.status == 200
    assert (reply.body["token_type"], reply.body["expires_in"]) == ("bearer", 3600)
    assert reply.body["access_token"] != api.token


async def test_the_form_of_a_token_request_may_stand_in_the_query(
    api: Api, company: Company
) -> None:
    query = {"grant_type": "account_credentials", "account_id": company.account_id}
    headers = {"authorization": login}
    async with api.http.post(f"{api.base}/oauth/token", params=query, headers=headers) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    ("auth", "changes", "refusal"),
    [
        (None, {}, (400, 4706, "invalid_request")),
        (encode_basic_auth("app-1", "wrong"), {}, (401, 4702, "invalid_client")),
        (encode_basic_auth("app-2", "credentials of the tests"), {}, (401, 4702, "invalid_client")),
        (login, {"grant_type": "client_credentials"}, (400, 4705, "unsupported_grant_type")),
        (login, {"account_id": "other"}, (400, 4700, "invalid_request")),
    ],
)
async def test_a_token_request_with_a_mistake_is_refused(
    api: Api,
    company: Company,
    auth: str | None,
    changes: dict[str, str],
    refusal: tuple[int, int, str],
) -> None:
    form = {"grant_type": "account_credentials", "account_id": company.account_id} | changes
    reply = await api.request_token(auth, **form)
    assert (reply.status, reply.code, reply.body["error"]) == refusal


async def test_credentials_that_are_no_base64_are_missing(api: Api) -> None:
    headers = {"authorization": "Basic !!!"}
    async with api.http.post(f"{api.base}/oauth/token", headers=headers) as reply:
        assert (reply.status, (await reply.json())["code"]) == (400, 4706)


@pytest.mark.parametrize("token", ["", "unknown"])
async def test_a_request_without_a_valid_token_is_refused(api: Api, token: str) -> None:
    api.token = token
    reply = await api.get("/users")
    assert (reply.status, reply.code) == (401, 124)


async def test_a_token_expires(api: Api, clock: StoppedClock) -> None:
    clock.s += 3599
    assert (await api.get("/users")).status == 200
    clock.s += 1
    for _ in range(2):
        reply = await api.get("/users")
        assert (reply.status, reply.code) == (401, 124)


async def test_a_user_is_found_by_id(api: Api, company: Company) -> None:
    user = company.users[7]
    reply = await api.get(f"/users/{user.user_id}")
    assert reply.status == 200
    assert reply.body["user_id"] == user.user_id
    assert reply.body["display_name"] == user.display_name
    assert reply.body["user_email"] == user.user_email
    assert reply.body["role_name"] == user.role_name
    assert reply.headers["X-RateLimit-Category"] == "Light"


@pytest.mark.parametrize("which", ["cc_queue_id", "queue_id"])
async def test_a_queue_is_found_by_either_id_and_names_both(
    api: Api, company: Company, which: str
) -> None:
    queue = company.queues[3]
    reply = await api.get(f"/queues/{getattr(queue, which)}")
    assert reply.status == 200
    assert reply.body["cc_queue_id"] == queue.cc_queue_id
    assert reply.body["queue_id"] == queue.queue_id
    assert reply.body["queue_name"] == queue.queue_name


@pytest.mark.parametrize(("path", "code"), [("/users/nobody", 1001), ("/queues/none", 1201)])
async def test_an_id_that_nobody_has_is_not_found(api: Api, path: str, code: int) -> None:
    reply = await api.get(path)
    assert (reply.status, reply.code) == (404, code)


async def test_an_id_may_be_escaped_twice(api: Api, company: Company) -> None:
    user_id = company.users[0].user_id
    address = f"{api.base}/v2/contact_center/users/{user_id[:-1]}%25{ord(user_id[-1]):02X}"
    bearer = {"authorization": f"Bearer {api.token}"}
    async with api.http.get(URL(address, encoded=True), headers=bearer) as reply:
        assert (await reply.json())["user_id"] == user_id


@pytest.mark.parametrize("name", ["users", "queues"])
async def test_a_list_is_read_page_by_page(api: Api, company: Company, name: str) -> None:
    ids = []
    token = ""
    while True:
        query = {"page_size": "3"} | ({"next_page_token": token} if token else {})
        page = await api.get(f"/{name}", **query)
        assert (page.status, page.body["page_size"]) == (200, 3)
        assert page.body["total_records"] == len(getattr(company, name))
        assert len(page.items(name)) <= 3
        ids += [item["user_id" if name == "users" else "cc_queue_id"] for item in page.items(name)]
        token = str(page.body["next_page_token"])
        if not token:
            break
    expected = [getattr(item, "user_id", "") for item in company.users]
    if name == "queues":
        expected = [item.cc_queue_id for item in company.queues]
    assert ids == expected
    assert page.headers["X-RateLimit-Category"] == "Medium"


async def test_a_page_has_30_items_unless_requested_otherwise(api: Api) -> None:
    page = await api.get("/users")
    assert (page.body["page_size"], len(page.items("users"))) == (30, 30)
    assert len((await api.get("/users", page_size="300")).items("users")) == 40


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "0"},
        {"page_size": "301"},
        {"page_size": "many"},
        {"page_size": "-1"},
        {"next_page_token": "not ours"},
        {"next_page_token": "bm90IG91cnM="},
    ],
)
async def test_paging_out_of_range_is_refused(api: Api, query: dict[str, str]) -> None:
    reply = await api.get("/users", **query)
    assert (reply.status, reply.code) == (400, 300)


async def test_a_page_token_belongs_to_one_list_and_lives_15_minutes(
    api: Api, clock: StoppedClock
) -> None:
    token = str((await api.get("/users", page_size="5")).body["next_page_token"])
    assert (await api.get("/queues", next_page_token=token)).status == 400
    clock.s += 900
    assert (await api.get("/users", next_page_token=token)).status == 200
    clock.s += 1
    assert (await api.get("/users", next_page_token=token)).status == 400


async def test_every_answer_says_what_the_second_still_allows(api: Api) -> None:
    seen = [await api.get("/users/nobody"), await api.get("/users/nobody")]
    for reply, left in zip(seen, ("39", "38"), strict=True):
        assert reply.headers["X-RateLimit-Type"] == "QPS"
        assert reply.headers["X-RateLimit-Limit"] == "40"
        assert reply.headers["X-RateLimit-Remaining"] == left


async def test_more_than_the_limit_in_one_second_is_refused_until_the_next(
    company: Company, clock: StoppedClock
) -> None:
    async with api_of_company(company, clock, rest_medium_per_s=2) as api:
        assert [(await api.get("/users")).status for _ in range(2)] == [200, 200]
        refused = await api.get("/users")
        assert (refused.status, refused.code) == (429, 4001)
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert refused.headers["X-RateLimit-Reset"] == str(int(clock.s) + 1)
        assert (await api.get("/users/nobody")).status == 404
        clock.s += 1
        assert (await api.get("/users")).status == 200


async def test_an_outage_answers_503_to_everything_and_ends(api: Api, company: Company) -> None:
    form = {"grant_type": "account_credentials", "account_id": company.account_id}
    assert await api.set_faults(outage=True) == 200
    assert (await api.get("/users")).status == 503
    assert (await api.request_token(**form)).status == 503
    assert await api.set_faults() == 200
    assert (await api.get("/users")).status == 200
    assert (await api.request_token(**form)).status == 200


async def test_a_share_of_requests_fails_and_a_share_is_limited(
    company: Company, clock: StoppedClock
) -> None:
    faults = {"rest_error_rate": 0.3, "rest_limited_rate": 0.3, "rest_light_per_s": 1000}
    async with api_of_company(company, clock, **faults) as api:
        replies = [await api.get(f"/users/{company.users[0].user_id}") for _ in range(100)]
    statuses = [reply.status for reply in replies]
    assert set(statuses) == {200, 429, 500}
    assert 15 <= statuses.count(500) <= 45
    assert 15 <= statuses.count(429) <= 45
    assert all("X-RateLimit-Reset" in reply.headers for reply in replies if reply.status == 429)


async def test_latency_holds_every_answer_back(company: Company, clock: StoppedClock) -> None:
    async with api_of_company(company, clock, rest_latency_s=0.05) as api:
        loop = asyncio.get_running_loop()
        sent_s = loop.time()
        await api.get("/users")
        assert loop.time() - sent_s >= 0.05


@pytest.mark.parametrize(
    "faults",
    [
        {"error_rate": 2},
        {"latency_s": float("inf")},
        {"unknown": 1},
        {"error_rate": 0.7, "limited_rate": 0.7},
    ],
)
async def test_faults_that_make_no_sense_are_refused_and_change_nothing(
    api: Api, faults: dict[str, object]
) -> None:
    assert await api.set_faults(**faults) == 400
    assert (await api.get("/users")).status == 200


async def test_an_account_that_is_not_the_companys_is_refused(
    company: Company, clock: StoppedClock
) -> None:
    with pytest.raises(AccountMismatchError, match="ZCC_SIMULATOR_ACCOUNT_ID"):
        async with api_of_company(company, clock, account_id="somebody else"):
            pass


async def test_an_error_of_the_caller_comes_out_as_it_is(
    company: Company, clock: StoppedClock
) -> None:
    with pytest.raises(LookupError, match="of the caller"):
        async with api_of_company(company, clock):
            raise LookupError("of the caller")
