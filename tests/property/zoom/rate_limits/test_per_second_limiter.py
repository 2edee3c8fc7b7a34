"""One member's share: no sliding second ever holds more calls than the share allows."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.member_share import MemberShare, sole_member
from zoom.rate_limits.pacing import ClockReading, spacing, whole_calls
from zoom.rate_limits.per_second_limiter import SecondBudget

pauses_s = st.one_of(
    st.just(0.0),
    st.floats(min_value=0, max_value=0.2),
    st.floats(min_value=0.9, max_value=1.1),
    st.floats(min_value=0, max_value=20),
)
shares = st.one_of(st.sampled_from([1.0, 0.5, 0.29, 0.1]), st.floats(min_value=0.01, max_value=1.0))
limits = st.sampled_from([5, 10, 20, 40])
member_shares = st.integers(1, 12).flatmap(
    lambda members: st.builds(MemberShare, st.integers(0, members - 1), st.just(members))
)

unix_s = 1_767_225_600.0


def at(now_s: float) -> ClockReading:
    return ClockReading(now_s, unix_s + now_s)


def with_share(budget: SecondBudget, member_share: MemberShare = sole_member) -> SecondBudget:
    budget.on_share_changed(member_share, at(0.0))
    return budget


def use(budget: SecondBudget, now_s: float) -> float:
    """Wait as long as it takes, from this moment on; return when the call went out."""
    wait_s = budget.wait_s(at(now_s))
    while wait_s > 0:
        now_s += wait_s
        wait_s = budget.wait_s(at(now_s))
    budget.grant(at(now_s))
    return now_s


@given(
    limit=limits, share=shares, member_share=member_shares, pauses=st.lists(pauses_s, max_size=150)
)
def test_no_sliding_second_holds_more_than_the_share_of_the_member(
    limit: int, share: float, member_share: MemberShare, pauses: list[float]
) -> None:
    budget, now_s, grants = (
        with_share(SecondBudget(limit, share=share), member_share),
        0.0,
        [],
    )
    for pause_s in pauses:
        now_s = use(budget, now_s + pause_s)
        grants.append(now_s)
    rate = limit * share
    seconds, most = max(1.0, 1.0 / rate), max(1, member_share.part_of(whole_calls(rate)))
    for start_s in grants:
        assert sum(start_s <= grant_s < start_s + seconds for grant_s in grants) <= most


@given(pauses=st.lists(pauses_s, max_size=60), share=shares, member_share=member_shares)
def test_looking_grants_nothing(
    pauses: list[float], share: float, member_share: MemberShare
) -> None:
    budget = with_share(SecondBudget(20, share=share), member_share)
    for now_s in accumulate(pauses, initial=0.0):
        seen_s = [budget.wait_s(at(now_s)) for _ in range(2)]
        assert seen_s[0] == seen_s[1] >= 0
        if seen_s[0] == 0:
            budget.grant(at(now_s))


@given(share=shares, member_share=member_shares, count=st.integers(1, 60))
def test_the_wait_of_those_behind_is_predicted_as_it_will_be(
    share: float, member_share: MemberShare, count: int
) -> None:
    budget = with_share(SecondBudget(20, share=share), member_share)
    predicted_s = [budget.wait_s(at(0.0), ahead=ahead) for ahead in range(count)]
    now_s = 0.0
    for wait_s in predicted_s:
        now_s = use(budget, now_s)
        assert now_s == pytest.approx(wait_s, abs=0.01)


@given(calls=st.lists(st.tuples(pauses_s, st.one_of(st.none(), st.floats(0, 30))), max_size=80))
def test_nothing_is_granted_before_a_pause_is_over(
    calls: list[tuple[float, float | None]],
) -> None:
    budget = with_share(SecondBudget(20, share=1.0))
    now_s = paused_until_s = 0.0
    for after_s, pause_s in calls:
        now_s += after_s
        if pause_s is not None:
            paused_until_s = max(paused_until_s, now_s + pause_s)
            budget.pause(now_s + pause_s)
            assert budget.paused_s(at(now_s)) == pytest.approx(paused_until_s - now_s)
        now_s = use(budget, now_s)
        assert now_s >= paused_until_s - 1e-5


@given(
    corrections=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 60)), max_size=20),
    pauses=st.lists(st.floats(0, 0.2), min_size=60, max_size=60),
)
def test_a_corrected_limit_is_kept_at_once_and_never_exceeds_the_configured_one(
    corrections: list[tuple[float, int]], pauses: list[float]
) -> None:
    budget = with_share(SecondBudget(20, share=1.0))
    now_s, limit, since_s, grants = 0.0, 20, 0.0, []
    due = list(accumulate((after_s for after_s, _ in corrections), initial=0.0))[1:]
    for pause_s in pauses:
        now_s = use(budget, now_s + pause_s)
        grants.append(now_s)
        while due and due[0] <= now_s:
            due.pop(0)
            corrected = corrections[len(corrections) - len(due) - 1][1]
            changed = budget.correct(corrected, at(now_s))
            assert changed == (min(corrected, 20) != limit)
            if changed:
                limit, since_s = min(corrected, 20), now_s
        assert budget.limit == limit <= 20
        held = sum(max(since_s, now_s - 1.0) < grant_s for grant_s in grants)
        assert held <= limit


def test_the_first_window_counts_as_spent_by_earlier_members() -> None:
    budget = with_share(SecondBudget(20, share=1.0))
    assert [budget.wait_s(at(0.0), ahead=ahead) for ahead in (0, 19, 20)] == pytest.approx(
        [spacing, spacing, 2 * spacing]
    )


@given(member_share=member_shares, now_s=st.floats(0, 100))
def test_a_member_that_takes_another_share_waits_for_the_window_of_its_owners(
    member_share: MemberShare, now_s: float
) -> None:
    budget = with_share(SecondBudget(5, share=0.5))
    budget.on_share_changed(member_share, at(now_s))
    assert budget.wait_s(at(now_s)) >= spacing - 1e-6


def test_without_a_share_a_call_waits_for_ever() -> None:
    budget = SecondBudget(20, share=1.0)
    budget.on_share_changed(None, at(0.0))
    assert budget.wait_s(at(1000.0)) == float("inf")
    budget.grant(at(1000.0))
    assert (budget.own_calls_per_second, budget.calls_per_second) == (0.0, 20)


def test_a_share_below_one_call_per_second_stretches_the_second() -> None:
    budget = with_share(SecondBudget(5, share=0.1))
    assert [use(budget, 0.0), use(budget, 2 * spacing)] == pytest.approx([2.04, 4.08])
    assert budget.calls_per_second == 0.5


@pytest.mark.parametrize("members", range(1, 12))
def test_the_shares_of_all_members_make_the_whole(members: int) -> None:
    shares_of_all = [MemberShare(rank, members) for rank in range(members)]
    assert sum(member_share.part_of(5) for member_share in shares_of_all) == 5
    assert sum(member_share.part_of(-5) for member_share in shares_of_all) == 0
    parts = [
        with_share(SecondBudget(5, share=1.0), member_share).own_calls_per_second
        for member_share in shares_of_all
    ]
    assert sum(parts) == pytest.approx(5)


def test_a_call_that_comes_late_for_its_phase_waits_for_the_next_cycle() -> None:
    budget = with_share(SecondBudget(5, share=0.2), MemberShare(1, 3))
    first_s = use(budget, 0.0)
    cycle_s = 3 * spacing
    assert budget.wait_s(at(first_s + cycle_s + 0.004)) == 0.0
    assert budget.wait_s(at(first_s + cycle_s + 0.006)) == pytest.approx(cycle_s - 0.006, abs=1e-5)
