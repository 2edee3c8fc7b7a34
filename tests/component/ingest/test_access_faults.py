"""Rules for senders in addition to the signature, and the trace of a record, on a server."""

import re
from collections.abc import Mapping

import pytest

from runtime.clock import SystemClock
from tests.support.ingest_server import Headers, MemoryPublisher, Server, event, numbered, signed
from tests.support.ingest_wire import HandClock, on_both_loops, served

secret = "the-newest-secret"
here = ["127.0.0.0/8"]
elsewhere = ["192.0.2.0/24"]
header = {"name": "X-Zoom-Pass", "value": "open-sesame"}
passing: Headers = [("x-zoom-pass", b"open-sesame")]


def apps(**members: object) -> Mapping[str, object]:
    return {"default": {"secrets": [secret], **members}}


async def unavailable(server: Server, reason: str) -> float:
    return await server.metric("zcc_ingest_unavailable_total", reason=reason)


out_of_place: dict[str, tuple[dict[str, object], int, Headers, str]] = {
    "from another network": ({"networks": elsewhere}, 0, [], "network"),
    "that says it comes from the right one": (
        {"networks": elsewhere},
        0,
        [("x-forwarded-for", b"192.0.2.1")],
        "network",
    ),
    "that a proxy saw come from another network": (
        {"networks": elsewhere},
        1,
        [("x-forwarded-for", b"192.0.2.1, 203.0.113.1")],
        "network",
    ),
    "past the proxy": ({"networks": here}, 1, [], "network"),
    "without its header": ({"header": header}, 0, [], "credential"),
    "with a wrong header": ({"header": header}, 0, [("x-zoom-pass", b"shut")], "credential"),
    "with its header twice": ({"header": header}, 0, [*passing, *passing], "credential"),
    "without its user": (
        {"basic": {"username": "zoom", "password": "pass"}},
        0,
        [("authorization", b"Basic em9vbTp3cm9uZw==")],
        "credential",
    ),
}


@pytest.mark.parametrize("case", out_of_place)
@on_both_loops
async def test_a_signed_request_that_its_app_does_not_allow_is_answered_503_and_counted(
    case: str,
) -> None:
    members, hops, more, reason = out_of_place[case]
    publisher = MemoryPublisher()
    async with served(publisher, apps=apps(**members), forwarded_hops=hops) as server:
        before = await unavailable(server, reason)
        answer = await server.post(headers=signed(event, more=more))
        assert (answer.status, answer.body) == (503, b"")
        assert "retry-after" in answer.headers
        assert await unavailable(server, reason) == before + 1
    assert publisher.records == []


in_place: dict[str, tuple[dict[str, object], int, Headers]] = {
    "from the right network": ({"networks": [*elsewhere, *here]}, 0, []),
    "that a proxy saw come from the right network": (
        {"networks": elsewhere},
        1,
        [("X-Forwarded-For", b"203.0.113.1, 192.0.2.1")],
    ),
    "with its header": ({"header": header}, 0, passing),
    "with its user": (
        {"basic": {"username": "zoom", "password": "pass"}},
        0,
        [("Authorization", b"Basic em9vbTpwYXNz")],
    ),
    "of a listed account": ({"accounts": ["other", "account"]}, 0, []),
}


@pytest.mark.parametrize("case", in_place)
@on_both_loops
async def test_a_signed_request_that_its_app_allows_is_kept(case: str) -> None:
    members, hops, more = in_place[case]
    publisher = MemoryPublisher()
    async with served(publisher, apps=apps(**members), forwarded_hops=hops) as server:
        assert (await server.post(headers=signed(event, more=more))).status == 204
    assert [record.topic for record in publisher.records] == ["zcc.engagement.v1"]


@pytest.mark.parametrize("networks", [here, elsewhere])
@on_both_loops
async def test_an_unsigned_request_is_refused_wherever_it_comes_from(networks: list[str]) -> None:
    publisher = MemoryPublisher()
    async with served(publisher, apps=apps(networks=networks, header=header)) as server:
        for headers in (passing, signed(event, secret="wrong", more=passing), []):
            assert (await server.post(headers=headers)).status == 401
    assert publisher.records == []


@on_both_loops
async def test_an_event_of_an_account_that_is_not_listed_is_sent_again_for_an_hour_then_kept() -> (
    None
):
    publisher, clock = MemoryPublisher(), HandClock()
    name, labels = "zcc_ingest_quarantined_total", {"reason": "foreign_account"}
    async with served(publisher, clock=clock, apps=apps(accounts=["other"])) as server:
        before = await server.metric(name, **labels)
        kept_out = await unavailable(server, "foreign_account")
        for number in range(3):
            assert (await server.post(numbered(number))).status == 503
            await clock.move(1190)
        assert publisher.records == []
        assert await unavailable(server, "foreign_account") == kept_out + 3
        await clock.move(100)
        assert (await server.post()).status == 204
        other = event.replace(b'"account"', b'"another-account"')
        assert (await server.post(other)).status == 503
        assert await server.metric(name, **labels) == before + 1
    (record,) = publisher.records
    assert (record.topic, record.value) == ("zcc.quarantine.v1", event)
    assert dict(record.headers)["zcc-reason"] == b"foreign_account"


@on_both_loops
async def test_the_last_attempt_at_an_event_of_another_account_is_quarantined() -> None:
    publisher = MemoryPublisher()
    happened_ms = int((SystemClock().now().timestamp() - 85 * 60) * 1000)
    body = event.replace(b"1751364000000", str(happened_ms).encode())
    async with served(publisher, apps=apps(accounts=["other"])) as server:
        assert (await server.post(body)).status == 204
    assert [record.topic for record in publisher.records] == ["zcc.quarantine.v1"]


async def traces(server: Server, publisher: MemoryPublisher, *bodies: bytes) -> list[bytes | None]:
    for body in bodies:
        assert (await server.post(body)).status == 204
    return [dict(record.headers).get("traceparent") for record in publisher.records]


@on_both_loops
async def test_a_trace_is_begun_only_when_enabled_and_is_one_for_all_deliveries_of_an_event() -> (
    None
):
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        assert await traces(server, publisher, event) == [None]
    publisher = MemoryPublisher()
    async with served(publisher, traces_started=True) as server:
        first, again, other = await traces(server, publisher, event, event, numbered(2))
    for trace in (first, other):
        # W3C Trace Context, sections 3.2.2.3 and 3.2.2.4: neither of the two is all zeros.
        assert re.fullmatch(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01", trace or b"")
    assert first == again != other


given = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@on_both_loops
async def test_a_trace_that_came_with_the_request_is_passed_on_and_no_other_is_begun() -> None:
    publisher = MemoryPublisher()
    async with served(publisher, traces_started=True) as server:
        for headers in (
            [("traceparent", given)],
            [("Traceparent", given)],
            [("traceparent", b"00-none")],
            [("traceparent", given), ("traceparent", given)],
        ):
            await server.post(headers=signed(event, more=headers))
    first, second, none, two = (dict(record.headers)["traceparent"] for record in publisher.records)
    assert first == second == given
    assert none == two != given
