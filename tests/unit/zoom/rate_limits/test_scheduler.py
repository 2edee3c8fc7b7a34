"""Calls get their turn by priority, in time or not at all, and answers correct the budget."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import REGISTRY

from runtime.member_share import MemberShare, sole_member
from tests.support.fakes.simulated_time import SimulatedClock, simulate
from tests.support.fakes.zoom import reply, zoom_settings
from zoom.errors import UnavailableError, ZoomFault
from zoom.limits import Label, Priority
from zoom.rate_limits.pacing import spacing
from zoom.rate_limits.scheduler import LimitStatus, RateLimitScheduler, max_waiting

light, heavy = Label.LIGHT, Label.HEAVY
enrichment, interactive, _, backfill = Priority


def some_turns(
    *, member_share: MemberShare | None = sole_member, **settings: object
) -> RateLimitScheduler:
    """Of an account with 40 light calls a second, 10 heavy ones."""
    return RateLimitScheduler(
        zoom_settings(**settings), clock=SimulatedClock(), member_share=member_share
    )


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def take(
    scheduler: RateLimitScheduler, label: Label = light, priority: Priority = enrichment
) -> float:
    await scheduler.take(label, priority, operation="get_it")
    return now_s()


async def refusal(
    scheduler: RateLimitScheduler, label: Label = light, priority: Priority = enrichment
) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await scheduler.take(label, priority, operation="get_it")
    assert caught.value.fault is ZoomFault.OVER_BUDGET
    assert "get_it" in str(caught.value)
    return caught.value


def figure(name: str, **labels: str) -> float:
    account = {} if name == "zcc_zoom_budget_members" else {"account": ""}
    return REGISTRY.get_sample_value(name, labels | account) or 0.0


def standing(scheduler: RateLimitScheduler, label: Label) -> LimitStatus:
    return next(each for each in scheduler.snapshot() if each.label is label)


async def test_each_counter_begins_at_0() -> None:
    some_turns()
    for label in Label:
        assert (
            REGISTRY.get_sample_value(
                "zcc_zoom_budget_wait_seconds_total", {"label": label.value, "account": ""}
            )
            is not None
        )
        for reason in ("second", "day", "paused", "no_share"):
            labels = {"label": label.value, "reason": reason, "account": ""}
            assert REGISTRY.get_sample_value("zcc_zoom_budget_refused_total", labels) is not None
        for kind in ("limit", "second", "day"):
            labels = {"label": label.value, "kind": kind, "account": ""}
            name = "zcc_zoom_budget_corrections_total"
            assert REGISTRY.get_sample_value(name, labels) is not None


def in_simulated_time(
    test: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """Run a test on a loop of its own, in no time; without arguments, so without fixtures."""

    def run() -> None:
        simulate(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_simulated_time
async def test_a_process_that_has_just_started_waits_for_the_window_of_the_one_before() -> None:
    scheduler = some_turns()
    assert await take(scheduler) == pytest.approx(spacing)
    assert [await take(scheduler) for _ in range(39)] == [pytest.approx(spacing)] * 39
    assert await take(scheduler) == pytest.approx(2 * spacing)


@in_simulated_time
async def test_the_higher_priority_goes_first_however_late_it_comes() -> None:
    scheduler = some_turns(calls_per_second={light: 1}, budget_wait_s=10)
    order: list[str] = []

    async def ask(name: str, priority: Priority, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await take(scheduler, priority=priority)
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask("b1", backfill, 0.0))
        tasks.create_task(ask("b2", backfill, 0.1))
        tasks.create_task(ask("i1", interactive, 0.2))
        tasks.create_task(ask("e1", enrichment, 0.9))
        tasks.create_task(ask("e2", enrichment, 0.95))
    assert order == ["e1", "e2", "i1", "b1", "b2"]


@in_simulated_time
async def test_who_waits_behind_is_refused_at_once_where_its_turn_comes_too_late() -> None:
    scheduler = some_turns(calls_per_second={light: 1}, budget_wait_s=3)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(take(scheduler, priority=interactive)) for _ in range(2)]
        await asyncio.sleep(0)
        error = await refusal(scheduler, priority=backfill)
        assert (now_s(), error.retry_after_s) == (0.0, pytest.approx(3 * spacing))
        assert "for 3.1 s" in str(error)
    assert [each.result() for each in waiting] == pytest.approx([spacing, 2 * spacing])


@in_simulated_time
async def test_who_is_pushed_back_for_too_long_is_refused_and_holds_nobody_up() -> None:
    scheduler = some_turns(calls_per_second={light: 1}, budget_wait_s=2.5)

    async def keep_asking() -> None:
        for _ in range(6):
            await take(scheduler)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_asking())
        await asyncio.sleep(0.1)
        error = await refusal(scheduler, priority=backfill)
        assert "in 2.5 s" in str(error)
        assert now_s() == pytest.approx(2.6)
    assert now_s() == pytest.approx(6 * spacing, abs=0.01)
    assert standing(scheduler, light).waiting == 0


@in_simulated_time
async def test_a_call_that_is_cancelled_lets_the_next_one_go_first() -> None:
    scheduler = some_turns(calls_per_second={light: 1})
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(take(scheduler))
        second = tasks.create_task(take(scheduler))
        await asyncio.sleep(0.5)
        first.cancel()
    assert second.result() == pytest.approx(spacing)


@in_simulated_time
async def test_without_a_share_calls_wait_until_there_is_one() -> None:
    scheduler = some_turns(member_share=None)
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(take(scheduler, label)) for label in Label]
        await asyncio.sleep(2)
        scheduler.on_share_changed(MemberShare(0, 2, 1))
    assert [each.result() for each in calls] == pytest.approx([2 + spacing] * 3)


@in_simulated_time
async def test_without_a_share_in_time_calls_are_refused() -> None:
    scheduler = some_turns(member_share=None)
    before = figure("zcc_zoom_budget_refused_total", label="LIGHT", reason="no_share")
    for label in (light, heavy):
        assert (await refusal(scheduler, label)).retry_after_s is None
    assert now_s() == pytest.approx(10.0)
    assert figure("zcc_zoom_budget_refused_total", label="LIGHT", reason="no_share") == before + 1


@in_simulated_time
async def test_a_share_that_is_given_up_grants_nothing_to_waiting_calls() -> None:
    scheduler = some_turns()
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(take(scheduler))
        await asyncio.sleep(0.5)
        scheduler.on_share_changed(None)
        assert figure("zcc_zoom_budget_members") == 0
        await asyncio.sleep(2.5)
        scheduler.on_share_changed(MemberShare(3, 4, 2))
        assert figure("zcc_zoom_budget_members") == 4
        assert figure("zcc_zoom_budget_limit", label="LIGHT", window="second") == 10
    assert call.result() == pytest.approx(3 + spacing)


@in_simulated_time
async def test_a_caller_with_less_time_than_a_new_share_takes_can_wait_for_it_to_open() -> None:
    scheduler = some_turns(member_share=None)
    async with asyncio.TaskGroup() as tasks:
        opened = tasks.create_task(scheduler.wait_until_open(light))
        await asyncio.sleep(2)
        scheduler.on_share_changed(MemberShare(0, 2, 1))
        await asyncio.sleep(spacing - 0.01)
        assert not opened.done()
    assert now_s() == pytest.approx(2 + spacing)
    assert await take(scheduler) == now_s()
    await scheduler.wait_until_open(light)
    assert now_s() == pytest.approx(2 + spacing)


@in_simulated_time
async def test_a_share_that_does_not_come_is_waited_for_no_longer_than_a_turn() -> None:
    await some_turns(member_share=None).wait_until_open(light)
    assert now_s() == pytest.approx(5.0)


@in_simulated_time
async def test_no_more_calls_than_a_bound_wait_for_a_share() -> None:
    scheduler = some_turns(member_share=None)
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(take(scheduler)) for _ in range(max_waiting)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await refusal(scheduler)
        assert now_s() == 0.0
        for each in calls:
            each.cancel()


@in_simulated_time
async def test_after_a_429_its_label_waits_as_long_as_it_asks_and_no_other_does() -> None:
    scheduler = some_turns()
    await take(scheduler)
    scheduler.observe_response(light, reply(429, retry_after="3"))
    assert await take(scheduler, Label.MEDIUM) == pytest.approx(spacing)
    assert await take(scheduler) == pytest.approx(spacing + 3)


@in_simulated_time
async def test_a_closed_day_refuses_at_once_until_it_is_over() -> None:
    scheduler = some_turns()
    await take(scheduler, heavy)
    before = figure("zcc_zoom_budget_corrections_total", label="HEAVY", kind="day")
    scheduler.observe_response(heavy, reply(429, retry_after="2026-01-02T00:00:00Z"))
    error = await refusal(scheduler, heavy)
    assert error.retry_after_s == pytest.approx(86_400 - spacing, abs=0.1)
    paused_until = standing(scheduler, heavy).paused_until
    assert paused_until is not None
    assert paused_until.isoformat().startswith("2026-01-02T00:00:00")
    assert figure("zcc_zoom_budget_corrections_total", label="HEAVY", kind="day") == before + 1
    assert await take(scheduler) == pytest.approx(spacing)
    await asyncio.sleep(86_400)
    await take(scheduler, heavy)
    assert standing(scheduler, heavy).paused_until is None


@in_simulated_time
async def test_a_lower_limit_of_an_answer_is_kept_and_a_higher_one_is_not_believed() -> None:
    scheduler = some_turns(share=0.5)
    scheduler.observe_response(light, reply(200, x_ratelimit_limit="10", x_ratelimit_type="QPS"))
    assert standing(scheduler, light).limit_per_second == 10
    assert standing(scheduler, light).share_per_second == 5
    scheduler.observe_response(light, reply(200, x_ratelimit_limit="100", x_ratelimit_type="QPS"))
    assert standing(scheduler, light).limit_per_second == 40
    scheduler.observe_response(
        heavy, reply(200, x_ratelimit_limit="1000", x_ratelimit_type="Daily-limit")
    )
    assert standing(scheduler, heavy).share_per_day == 500
    scheduler.observe_response(
        light, reply(200, x_ratelimit_limit="1000", x_ratelimit_type="Daily-limit")
    )
    assert standing(scheduler, light).share_per_day is None


@in_simulated_time
async def test_the_label_that_an_answer_names_is_the_one_that_is_corrected() -> None:
    scheduler = some_turns()
    scheduler.observe_response(
        light, reply(200, x_ratelimit_category="Heavy", x_ratelimit_limit="2")
    )
    assert standing(scheduler, light).limit_per_second == 40
    assert standing(scheduler, heavy).limit_per_second == 2


@in_simulated_time
async def test_the_day_ends_for_backfill_before_it_ends_for_the_rest() -> None:
    scheduler = some_turns(calls_per_day={heavy: 10}, backfill_reserve=0.3)
    for _ in range(7):
        await take(scheduler, heavy, backfill)
    await refusal(scheduler, heavy, backfill)
    for _ in range(3):
        await take(scheduler, heavy)
    error = await refusal(scheduler, heavy)
    assert error.retry_after_s == pytest.approx(86_400 - now_s())
    assert standing(scheduler, heavy).used_today == 10
    await asyncio.sleep(86_400 - now_s())
    assert standing(scheduler, heavy).used_today == 0
    await take(scheduler, heavy, backfill)


@in_simulated_time
async def test_a_turn_that_did_not_come_is_not_taken_off_the_day() -> None:
    scheduler = some_turns(calls_per_day={heavy: 2}, calls_per_second={heavy: 1}, budget_wait_s=2.5)
    scheduler.observe_response(heavy, reply(200, x_ratelimit_remaining="0", retry_after="2"))
    async with asyncio.TaskGroup() as tasks:
        given_up = tasks.create_task(take(scheduler, heavy))
        await asyncio.sleep(1)
        assert standing(scheduler, heavy).used_today == 1
        given_up.cancel()
    assert standing(scheduler, heavy).used_today == 0


@in_simulated_time
async def test_a_label_without_a_daily_limit_has_no_count() -> None:
    assert standing(some_turns(), light) == LimitStatus(light, 40, 40, None, 1, 0, 0, None)


@in_simulated_time
async def test_turns_and_waits_are_counted() -> None:
    used = {"label": "MEDIUM", "priority": "backfill"}
    before = figure("zcc_zoom_budget_used_total", **used)
    waited_s = figure("zcc_zoom_budget_wait_seconds_total", label="MEDIUM")
    scheduler = some_turns()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(take(scheduler, Label.MEDIUM, backfill))
        await asyncio.sleep(0.5)
        assert figure("zcc_zoom_budget_waiting", **used) == 2
    assert figure("zcc_zoom_budget_waiting", **used) == 0
    assert figure("zcc_zoom_budget_used_total", **used) == before + 2
    spent_s = figure("zcc_zoom_budget_wait_seconds_total", label="MEDIUM") - waited_s
    assert spent_s == pytest.approx(2 * spacing)
