"""Version 2's dataset is asked for many engagements at a time, in the background."""

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import structlog

from processors.outcomes.dataset import DatasetRows
from processors.outcomes.parts import Part, Reason
from runtime.background_tasks import BackgroundTasks
from tests.support.engagement_api import ENGAGEMENT, EngagementApi
from tests.support.fakes.zoom import reply

ROW = {"durations": {"hold_ms": 7}}


def rows_of(api: EngagementApi) -> DatasetRows:
    return DatasetRows(api.client, interval_s=20.0, allowed=frozenset({"none"}), clock=api.clock)


def query_of(api: EngagementApi) -> dict[str, list[str]]:
    return parse_qs(urlsplit(api.requests[-1].url).query)


async def test_an_engagement_gets_its_row_after_the_next_question() -> None:
    api = EngagementApi()
    rows = rows_of(api)
    assert rows.row(ENGAGEMENT) is Reason.NOT_READY
    await rows.ask_once()
    assert rows.row(ENGAGEMENT) == ROW


async def test_one_question_is_for_all_that_wait_and_for_those_that_ended_lately() -> None:
    api = EngagementApi()
    rows = rows_of(api)
    for number in range(3):
        rows.row(f"e{number}")
    await rows.ask_once()
    assert len(api.requests) == 1
    assert query_of(api) == {
        "engagement_id": ["e0,e1,e2"],
        "end_time_from": ["2025-12-31T00:00:02Z"],
        "end_time_to": ["2026-01-01T01:00:02Z"],
        "page_size": ["100"],
    }


async def test_nobody_is_requested_while_nothing_waits() -> None:
    api = EngagementApi()
    await rows_of(api).ask_once()
    assert api.requests == []


async def test_after_a_failure_the_same_engagements_are_requested_for_again() -> None:
    api = EngagementApi()
    rows = rows_of(api)
    rows.row(ENGAGEMENT)
    right = api.answers[Part.DATASET]
    for answer in (reply(503), reply(429, {"code": 4001}), reply(400, {"code": 300})):
        api.answers[Part.DATASET] = answer
        await rows.ask_once()
        assert rows.row(ENGAGEMENT) is Reason.NOT_READY
    api.answers[Part.DATASET] = right
    api.clock.elapsed_s += 60
    await rows.ask_once()
    assert rows.row(ENGAGEMENT) == ROW


async def test_a_forbidden_dataset_is_logged_once_and_forbidden_until_it_works() -> None:
    api = EngagementApi()
    rows = rows_of(api)
    right = api.answers[Part.DATASET]
    api.answers[Part.DATASET] = reply(403, {"code": 9001})
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            rows.row(ENGAGEMENT)
            await rows.ask_once()
            api.clock.elapsed_s += 60
    assert [log["part"] for log in logs if "part" in log] == ["dataset"]
    assert rows.row(ENGAGEMENT) is Reason.FORBIDDEN
    api.answers[Part.DATASET] = right
    await rows.ask_once()
    assert rows.row("another") is Reason.NOT_READY


async def test_odd_rows_are_no_rows() -> None:
    odd: Sequence[object] = ("x", {}, {"hold_duration": 3}, {"engagement_id": "e1"})
    for engagements in (odd, "x", None):
        api = EngagementApi()
        api.answers[Part.DATASET] = reply(200, {"engagements": engagements})
        rows = rows_of(api)
        rows.row(ENGAGEMENT)
        await rows.ask_once()
        assert rows.row(ENGAGEMENT) is Reason.NOT_READY


async def test_it_asks_at_intervals() -> None:
    api = EngagementApi()
    rows = rows_of(api)
    rows.row(ENGAGEMENT)
    began_s = api.clock.elapsed_s
    async with BackgroundTasks() as background:
        background.start(rows.run())
        while not api.requests:
            await asyncio.sleep(0)
    assert api.clock.elapsed_s >= began_s + 20.0
