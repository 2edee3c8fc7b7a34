import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from simulator.clock import MachineClock
from simulator.company import Company, make_company
from simulator.service import AccountMismatchError, send
from simulator.webhooks.endpoint import open_endpoint
from simulator.webhooks.identity import event_id
from simulator.webhooks.ledger import Ledger, LedgerWriter, Totals, read_ledger
from simulator.webhooks.retry_schedule import Outcome, retry_delays_s
from tests.support.patience import HANG_GUARD_S
from tests.support.simulator_receiver import (
    Receiver,
    Reply,
    is_signed,
    serving,
    simulator_settings,
    story_events,
)


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(1)


@dataclass(frozen=True)
class Sent:
    totals: Totals
    ledger: Ledger


async def sent_to(
    receiver: Receiver, company: Company, path: Path, count: int = 1, **changes: object
) -> Sent:
    async with serving(receiver) as url:
        with LedgerWriter(path) as ledger:
            settings = simulator_settings(url, **changes)
            totals = await send(settings, company, iter(story_events(count)), ledger)
    return Sent(totals, read_ledger(path))


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.mark.parametrize("status", [200, 204])
async def test_an_event_answered_200_or_204_is_accepted_at_once(
    company: Company, ledger_path: Path, status: int
) -> None:
    receiver = Receiver(replies=(status,))
    sent = await sent_to(receiver, company, ledger_path)
    [entry] = sent.ledger.entries
    assert (entry.outcome, entry.attempts, entry.statuses) == (Outcome.ACCEPTED, 1, (status,))
    assert entry.event_id == event_id(receiver.received[0].body)
    assert entry.request_id == receiver.received[0].request_id
    assert entry.accepted_at is not None
    assert sent.totals == sent.ledger.totals


@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 401, 404, 413, 422, 429])
async def test_an_event_answered_otherwise_below_500_is_lost_without_a_retry(
    company: Company, ledger_path: Path, status: int
) -> None:
    receiver = Receiver(replies=(status,))
    sent = await sent_to(receiver, company, ledger_path)
    [entry] = sent.ledger.entries
    assert (entry.outcome, entry.statuses) == (Outcome.LOST, (status,))
    assert entry.accepted_at is None
    assert len(receiver.received) == 1
    assert (sent.totals.lost, sent.totals.retries) == (1, 0)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [(500, 500), (502, 502), (503, 503), ("cut", "network_error"), ("hang", "timeout")],
)
async def test_an_event_that_fails_is_tried_four_times_and_given_up(
    company: Company, ledger_path: Path, reply: Reply, answer: int | str
) -> None:
    receiver = Receiver(replies=(reply,))
    sent = await sent_to(receiver, company, ledger_path, answer_limit_s=0.1)
    [entry] = sent.ledger.entries
    assert (entry.outcome, entry.statuses) == (Outcome.GIVEN_UP, (answer,) * 4)
    assert len(receiver.received) == 4
    assert (sent.totals.given_up, sent.totals.deliveries, sent.totals.retries) == (1, 4, 3)


async def test_a_refused_connection_is_a_network_error(unused_tcp_port: int) -> None:
    settings = simulator_settings(f"http://127.0.0.1:{unused_tcp_port}/webhooks/zoom")
    async with open_endpoint(settings, clock=MachineClock(), rng=Random(1)) as endpoint:
        assert await endpoint.deliver(b"{}", request_id="1") == "network_error"


async def test_an_answer_that_is_no_http_is_a_network_error() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example.com ready\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = simulator_settings(f"http://127.0.0.1:{port}/webhooks/zoom")
        async with open_endpoint(settings, clock=MachineClock(), rng=Random(1)) as endpoint:
            assert await endpoint.deliver(b"{}", request_id="1") == "network_error"


async def test_a_retry_repeats_body_and_request_id_and_is_signed_anew(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver(replies=(503, 503, 503, 204))
    async with serving(receiver) as url:
        with LedgerWriter(ledger_path) as ledger:
            events = iter(story_events(1))
            await send(simulator_settings(url), company, events, ledger, clock=ClockOfLeaps())
    assert len(receiver.received) == 4
    assert len({delivery.body for delivery in receiver.received}) == 1
    assert len({delivery.request_id for delivery in receiver.received}) == 1
    assert all(is_signed(delivery) for delivery in receiver.received)
    timestamps = [int(d.headers["x-zm-request-timestamp"]) for d in receiver.received]
    assert timestamps == sorted(set(timestamps))
    for name in ("x-zm-signature", "x-zm-trackingid", "traceparent"):
        assert len({delivery.headers[name] for delivery in receiver.received}) == 4
    assert read_ledger(ledger_path).entries[0].outcome is Outcome.ACCEPTED


async def test_each_retry_waits_its_share_of_5_20_and_60_minutes(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver(replies=(503,))
    await sent_to(receiver, company, ledger_path, time_scale=20_000.0)
    times = [delivery.at_s for delivery in receiver.received]
    for (before, after), delay_s in zip(pairwise(times), retry_delays_s, strict=True):
        assert after - before >= delay_s / 20_000.0


async def test_every_delivery_has_the_headers_of_zoom(company: Company, ledger_path: Path) -> None:
    receiver = Receiver()
    await sent_to(receiver, company, ledger_path)
    [delivery] = receiver.received
    forms = {
        "content-type": r"application/json; charset=utf-8",
        "user-agent": r"Zoom Marketplace/1\.0a",
        "accept-encoding": r"gzip",
        "clientid": r"app-1",
        "x-zm-request-id": r"[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}",
        "x-zm-request-timestamp": r"[0-9]{10}",
        "x-zm-signature": r"v0=[0-9a-f]{64}",
        "x-zm-trackingid": r"v=2\.0;clid=\w+;rid=WEB_[0-9a-f]{32}",
        "traceparent": r"00-[0-9a-f]{32}-[0-9a-f]{16}-01",
    }
    for name, form in forms.items():
        assert re.fullmatch(form, delivery.headers[name]), name
    assert set(delivery.headers) == {*forms, "host", "content-length"}
    assert is_signed(delivery)


async def test_duplicates_and_late_events_change_nothing_about_what_is_accepted(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver()
    sent = await sent_to(
        receiver, company, ledger_path, 200, duplicates=0.5, reorder=0.5, rate_per_s=2000.0
    )
    events = {event_id(event.body) for event in story_events(200)}
    assert sent.ledger.accepted_ids == events
    assert {event_id(delivery.body) for delivery in receiver.received} == events
    assert (sent.totals.events, sent.totals.accepted) == (200, 200)
    assert 50 < sent.totals.duplicates_sent < 150
    assert len(receiver.received) == 200 + sent.totals.duplicates_sent
    assert len(set(receiver.request_ids)) == len(receiver.received)
    numbers = [delivery.number for delivery in receiver.received]
    assert numbers != sorted(numbers)


async def test_a_duplicate_carries_other_links(company: Company, ledger_path: Path) -> None:
    receiver = Receiver()
    async with serving(receiver) as url:
        with LedgerWriter(ledger_path) as ledger:
            events = iter(story_events(1, link="https://example.com/recording"))
            await send(simulator_settings(url, duplicates=1.0), company, events, ledger)
    first, second = receiver.received
    assert first.body != second.body
    assert event_id(first.body) == event_id(second.body)
    assert is_signed(first)
    assert is_signed(second)


async def test_without_reordering_one_connection_keeps_the_order(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver()
    await sent_to(receiver, company, ledger_path, 50, connections=1)
    assert [delivery.number for delivery in receiver.received] == list(range(50))


async def test_no_more_deliveries_are_under_way_than_connections(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver(hold=asyncio.Event())
    async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as group:
        sending = group.create_task(
            sent_to(receiver, company, ledger_path, 40, connections=7, answer_limit_s=20.0)
        )
        await receiver.until_received(deliveries=7)
        receiver.hold.set()
    assert receiver.most_at_once == 7
    assert sending.result().totals.accepted == 40


async def test_more_than_a_thousand_waiting_retries_all_come_to_their_outcome(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver(replies=(503, 204))
    sent = await sent_to(receiver, company, ledger_path, 1200, time_scale=300.0)
    assert (sent.totals.accepted, sent.totals.retries) == (1200, 1200)
    attempts = Counter(receiver.request_ids)
    assert set(attempts.values()) == {2}


async def test_a_run_that_is_cancelled_leaves_what_is_on_its_way_without_an_outcome(
    company: Company, ledger_path: Path
) -> None:
    receiver = Receiver(hold=asyncio.Event())
    async with serving(receiver) as url:
        with LedgerWriter(ledger_path) as ledger:
            settings = simulator_settings(url, connections=3, answer_limit_s=30.0)
            async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as group:
                sending = group.create_task(send(settings, company, iter(story_events(10)), ledger))
                await receiver.until_received(deliveries=3)
                sending.cancel()
            assert sending.cancelled()
            assert (ledger.totals.events, ledger.totals.accepted) == (3, 0)
    assert read_ledger(ledger_path).entries == ()


async def test_the_ledger_holds_no_body(company: Company, ledger_path: Path) -> None:
    sent = await sent_to(Receiver(), company, ledger_path)
    assert "emoji" not in repr(sent.ledger)


async def test_settings_with_the_account_of_somebody_else_are_refused(company: Company) -> None:
    settings = simulator_settings("http://127.0.0.1:9/", account_id="somebody else")
    with LedgerWriter() as ledger, pytest.raises(AccountMismatchError, match="ACCOUNT_ID"):
        await send(settings, company, iter(()), ledger)


class ClockOfLeaps:
    """Each look at the wall clock finds it a second later."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()
