"""The day's limit is kept across restarts, and calls go on where the store does not answer."""

import asyncio
from datetime import date

import pytest
from structlog.testing import capture_logs

from runtime.errors import TransientError
from runtime.member_share import MemberShare, sole_member
from tests.support.fakes.zoom import VirtualClock
from zoom.limits import Label, Priority
from zoom.rate_limits.daily_quota import DailyBudget
from zoom.rate_limits.daily_share import Count, Counts, DailyShare

enrichment, interactive, _, backfill = Priority
today, tomorrow = date(2026, 1, 1), date(2026, 1, 2)
day_s = 86_400.0


class Store:
    """Keeps counts; is away, or never answers, where a test says so."""

    def __init__(self, counts: Counts | None = None) -> None:
        self.counts = dict(counts or {})
        self.away = False
        self.silent = False
        self.loads = 0
        self.saves = 0

    async def load(self, label: Label) -> Counts:
        self.loads += 1
        await self._answer()
        return dict(self.counts)

    async def save(self, label: Label, rank: int, count: Count) -> None:
        self.saves += 1
        await self._answer()
        self.counts[rank] = count

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise TransientError("away")


class Rig:
    def __init__(
        self, limit: int = 10, *, store: Store | None = None, share: MemberShare = sole_member
    ) -> None:
        self.clock = VirtualClock()
        self.store = store
        self.daily = DailyBudget(Label.HEAVY, limit, reserved=0.2, counts=store, clock=self.clock)
        self.daily.on_share_changed(share)

    async def take(self, count: int, priority: Priority = enrichment) -> int:
        """Return how many of so many calls are granted."""
        return sum([await self.daily.take(priority) is not None for _ in range(count)])


async def test_as_much_is_granted_as_a_day_has_and_the_next_day_as_much_again() -> None:
    rig = Rig(10)
    assert await rig.take(12) == 10
    assert rig.daily.remaining_day_s == day_s
    rig.clock.elapsed_s = day_s
    assert rig.daily.used == 0
    assert await rig.take(12) == 10


async def test_the_day_is_that_of_utc() -> None:
    rig = Rig(1)
    rig.clock.elapsed_s = day_s - 1
    assert await rig.take(2) == 1
    assert rig.daily.remaining_day_s == 1
    rig.clock.elapsed_s = day_s
    assert await rig.take(2) == 1


async def test_nothing_is_loaded_before_a_call_and_then_once_for_each_share_and_day() -> None:
    store = Store()
    rig = Rig(10_000, store=store)
    rig.daily.on_share_changed(MemberShare(0, 2, 1))
    assert store.loads == 0
    await rig.take(3)
    assert store.loads == 1
    rig.daily.on_share_changed(MemberShare(1, 2, 2))
    await rig.take(3)
    assert store.loads == 2
    rig.clock.elapsed_s = day_s
    await rig.take(3)
    assert store.loads == 3


async def test_a_count_is_kept_before_it_is_used_and_not_for_each_call() -> None:
    store = Store()
    rig = Rig(10_000, store=store)
    for used in range(1, 101):
        await rig.take(1)
        assert store.counts[0].used >= used
    assert store.saves == 5
    assert store.counts[0] == Count(today, 0, 0, 100)


async def test_who_finishes_leaves_what_it_kept_ahead_to_the_next() -> None:
    store = Store()
    for used in (1, 2, 3):
        rig = Rig(10_000, store=store)
        await rig.take(1)
        assert store.counts[0].used == used + 19
        await rig.daily.finish()
        await rig.daily.finish()
        assert store.counts[0] == Count(today, 0, 0, used)
    assert store.saves == 6


async def test_who_finishes_writes_nothing_that_it_does_not_know() -> None:
    store = Store({0: Count(today, 0, 0, 90)})
    await Rig(10_000, store=store).daily.finish()
    store.away = True
    rig = Rig(10_000, store=store)
    await rig.take(1)
    await rig.daily.finish()
    store.away = False
    rig = Rig(10_000, store=store, share=MemberShare(0, 2, 1))
    await rig.take(1)
    rig.daily.on_share_changed(MemberShare(1, 2, 2))
    await rig.daily.finish()
    assert store.counts == {0: Count(today, 1, 90, 99)}


async def test_what_was_used_before_a_restart_is_gone() -> None:
    store = Store()
    assert await Rig(10, store=store, share=MemberShare(0, 1, 1)).take(4) == 4
    assert await Rig(10, store=store, share=MemberShare(0, 1, 2)).take(12) == 6


async def test_a_member_that_returns_to_its_share_has_the_rest_of_its_part() -> None:
    store = Store({1: Count(today, 3, 0, 2)})
    share = MemberShare(0, 2, 3)
    assert await Rig(10, store=store, share=share).take(4) == 4
    again = Rig(10, store=store, share=share)
    assert await again.take(12) == 1
    assert again.daily.used == 5


async def test_the_count_of_a_share_that_is_no_more_still_counts_for_the_day() -> None:
    store = Store({0: Count(today, 1, 0, 3), 5: Count(today, 1, 1, 4), 2: Count(tomorrow, 1, 0, 9)})
    assert await Rig(10, store=store, share=MemberShare(0, 1, 2)).take(12) == 3


async def test_counts_of_yesterday_are_of_no_interest() -> None:
    store = Store({0: Count(date(2025, 12, 31), 0, 0, 10)})
    assert await Rig(10, store=store).take(12) == 10
    assert store.counts[0] == Count(today, 0, 0, 10)


async def test_the_day_of_backfill_ends_first_and_counts_what_all_have_used() -> None:
    store = Store({0: Count(today, 1, 0, 5)})
    rig = Rig(10, store=store, share=MemberShare(0, 1, 2))
    assert await rig.take(12, backfill) == 3
    assert await rig.take(12, interactive) == 2


async def test_without_an_answer_of_the_store_what_is_left_of_the_day_is_granted() -> None:
    store = Store({0: Count(today, 0, 0, 90)})
    store.away = True
    rig = Rig(100, store=store, share=MemberShare(0, 2, 1))
    rig.clock.elapsed_s = day_s * 3 / 4
    with capture_logs() as logs:
        assert await rig.take(100) == 13
    assert [log["event"] for log in logs] == ["daily_budget_unknown"]
    assert (store.loads, store.saves) == (1, 0)


async def test_the_store_is_read_again_later_and_nothing_unknown_is_overwritten() -> None:
    store = Store({1: Count(today, 0, 0, 20)})
    store.away = True
    rig = Rig(100, store=store, share=MemberShare(0, 1, 7))
    assert await rig.take(5) == 5
    store.away = False
    rig.clock.elapsed_s += 60
    assert await rig.take(100) == 75
    assert store.counts == {0: Count(today, 7, 0, 80), 1: Count(today, 0, 0, 20)}
    assert rig.daily.used == 100


async def test_a_count_that_cannot_be_saved_is_logged_and_stops_nothing() -> None:
    store = Store()
    rig = Rig(10, store=store)
    assert await rig.take(1) == 1
    store.away = True
    with capture_logs() as logs:
        assert await rig.take(12) == 9
    assert {log["event"] for log in logs} == {"daily_budget_not_kept"}
    assert store.counts[0].used == 1


async def given_up(rig: Rig) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rig.daily.take(enrichment)


async def test_counts_that_a_caller_did_not_wait_for_are_loaded_by_the_next_one() -> None:
    store = Store({1: Count(today, 0, 0, 90)})
    store.silent = True
    rig = Rig(100, store=store, share=MemberShare(0, 1, 1))
    await given_up(rig)
    store.silent = False
    assert await rig.take(100) == 10


async def test_a_store_that_no_caller_can_wait_for_does_not_stop_the_calls_for_ever() -> None:
    store = Store()
    store.silent = True
    rig = Rig(100, store=store)
    with capture_logs() as logs:
        for _ in range(3):
            assert not logs
            await given_up(rig)
            rig.clock.elapsed_s += 2
    assert [log["event"] for log in logs] == ["daily_budget_unknown"]
    assert await rig.take(2) == 2
    assert store.loads == 3


async def test_a_call_that_is_given_up_while_its_count_is_kept_is_not_used() -> None:
    store = Store()
    rig = Rig(10, store=store)
    await rig.take(1)
    store.silent = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rig.daily.take(enrichment)
    assert rig.daily.used == 1


async def test_a_call_that_was_given_back_can_be_used_again() -> None:
    rig = Rig(2)
    daily_share = await rig.daily.take(enrichment)
    assert daily_share is not None
    daily_share.give_back()
    assert await rig.take(3) == 2


async def test_a_limit_that_is_corrected_holds_for_the_day_that_has_begun() -> None:
    rig = Rig(10)
    await rig.take(3)
    assert rig.daily.correct(5)
    assert not rig.daily.correct(5)
    assert await rig.take(12) == 2
    assert rig.daily.correct(1000)
    assert rig.daily.limit == 10


async def test_a_share_that_is_lost_while_its_count_is_saved_gives_way_to_the_next_one() -> None:
    class Losing(Store):
        async def save(self, label: Label, rank: int, count: Count) -> None:
            if not self.saves:
                rig.daily.on_share_changed(None)
                rig.daily.on_share_changed(MemberShare(1, 2, 6))
            await super().save(label, rank, count)

    store = Losing()
    rig = Rig(10, store=store, share=MemberShare(0, 2, 5))
    daily_share = await rig.daily.take(enrichment)
    assert daily_share is not None
    assert daily_share.share == MemberShare(1, 2, 6)
    assert store.counts == {0: Count(today, 5, 0, 1), 1: Count(today, 6, 0, 1)}


async def test_a_share_that_is_lost_while_counts_are_loaded_has_none_of_its_calls_saved() -> None:
    class Losing(Store):
        async def load(self, label: Label) -> Counts:
            if not self.loads:
                rig.daily.on_share_changed(MemberShare(1, 2, 6))
            return await super().load(label)

    store = Losing()
    rig = Rig(10, store=store, share=MemberShare(0, 2, 5))
    assert await rig.take(1) == 1
    assert store.counts == {1: Count(today, 6, 0, 1)}


async def test_without_a_share_a_call_waits_for_one() -> None:
    rig = Rig(4)
    rig.daily.on_share_changed(None)
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(rig.take(4))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not taken.done()
        rig.daily.on_share_changed(MemberShare(0, 2, 1))
    assert taken.result() == 2


def test_the_parts_of_all_seats_make_what_was_left_when_their_generation_began() -> None:
    counts = {0: Count(today, 4, 3, 9), 1: Count(today, 4, 0, 2), 7: Count(today, 3, 1, 8)}
    left = []
    for rank in range(3):
        daily_share = DailyShare(100, reserved=0, share=MemberShare(rank, 3, 4), day=today)
        daily_share.recalculate(counts)
        left.append(daily_share.calls)
    assert sum(left) == 100 - 3 - 0 - 8


def test_a_limit_that_is_spent_by_others_leaves_nothing_and_no_debt() -> None:
    daily_share = DailyShare(10, reserved=0.5, share=MemberShare(0, 1, 2), day=today)
    daily_share.recalculate({3: Count(today, 1, 0, 50)})
    assert daily_share.calls == 0
    assert not daily_share.take(enrichment)
    assert not daily_share.take(backfill)
