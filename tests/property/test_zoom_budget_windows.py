"""No sliding second ever holds more calls than the share allows."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom.budget import Budget, Label, Plan, calls_per_second, window_s

pauses_s = st.one_of(
    st.just(0.0),
    st.floats(min_value=0, max_value=0.2),
    st.floats(min_value=0.9, max_value=1.1),
    st.floats(min_value=0, max_value=20),
)
shares = st.one_of(st.sampled_from([1.0, 0.5, 0.29, 0.1]), st.floats(min_value=0.01, max_value=1.0))


@given(
    plan=st.sampled_from(["pro", "business_plus"]),
    label=st.sampled_from(Label),
    share=shares,
    pauses=st.lists(pauses_s, max_size=150),
)
def test_no_sliding_second_holds_more_than_the_share(
    plan: Plan, label: Label, share: float, pauses: list[float]
) -> None:
    budget = Budget(plan=plan, share=share)
    grants = [now_s + budget.reserve(label, now_s) for now_s in accumulate(pauses)]
    rate = calls_per_second[plan][label] * share
    seconds = max(1.0, 1.0 / rate)
    for start_s in grants:
        held = sum(start_s <= grant_s < start_s + seconds for grant_s in grants)
        assert held <= max(1, int(rate + 1e-9))


@given(pauses=st.lists(pauses_s, max_size=60), share=shares)
def test_looking_grants_nothing_and_tells_the_wait_of_the_grant(
    pauses: list[float], share: float
) -> None:
    budget = Budget(plan="pro", share=share)
    for now_s in accumulate(pauses):
        seen_s = [budget.wait_s(Label.LIGHT, now_s) for _ in range(2)]
        assert seen_s == [budget.reserve(Label.LIGHT, now_s)] * 2
        assert seen_s[0] >= 0


@given(
    calls=st.lists(st.tuples(pauses_s, st.one_of(st.none(), st.floats(0, 30))), max_size=80),
)
def test_nothing_is_granted_before_a_pause_is_over(
    calls: list[tuple[float, float | None]],
) -> None:
    budget = Budget(plan="pro", share=1.0)
    now_s = paused_until_s = 0.0
    for after_s, pause_s in calls:
        now_s += after_s
        if pause_s is not None:
            paused_until_s = max(paused_until_s, now_s + pause_s)
            budget.pause(Label.LIGHT, now_s + pause_s)
        assert now_s + budget.reserve(Label.LIGHT, now_s) >= paused_until_s - 1e-9


@pytest.mark.parametrize("label", Label)
def test_labels_have_limits_of_their_own(label: Label) -> None:
    budget = Budget(plan="pro", share=1.0)
    for other in Label:
        if other is not label:
            budget.pause(other, 100.0)
    assert budget.reserve(label, 0.0) == 0.0


def test_a_steady_caller_gets_nearly_all_of_the_limit() -> None:
    budget = Budget(plan="business_plus", share=1.0)
    moment_s, calls = 0.0, 0
    while moment_s < 60.0:
        moment_s += budget.reserve(Label.LIGHT, moment_s)
        calls += 1
    assert 0.97 * 40 * 60 <= calls <= 40 * 60


def test_a_share_below_one_call_per_second_stretches_the_second() -> None:
    budget = Budget(plan="pro", share=0.1)
    assert budget.reserve(Label.HEAVY, 0.0) == 0.0
    assert budget.reserve(Label.HEAVY, 0.0) == pytest.approx(2.0 * window_s)
