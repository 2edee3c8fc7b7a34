"""The guard against its definition: shares of the last records, and a rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.dead_letters import DeadLetterGuard, GuardBounds
from schemas.reasons import DeadLetterReason

DEFECT, REJECTED = DeadLetterReason.DEFECT, DeadLetterReason.UNREADABLE
settled = st.tuples(
    st.sampled_from([None, None, DEFECT, REJECTED, DeadLetterReason.PARKED]),
    st.floats(0, 30),
)


@given(
    bounds=st.builds(
        GuardBounds,
        records=st.integers(1, 20),
        defect_share=st.sampled_from([0.05, 0.2, 1.0]),
        rejected_share=st.sampled_from([0.1, 0.5, 1.0]),
        per_minute=st.integers(1, 10),
    ),
    history=st.lists(settled, max_size=120),
)
def test_it_refuses_exactly_what_would_pass_a_bound(
    bounds: GuardBounds, history: list[tuple[DeadLetterReason | None, float]]
) -> None:
    guard, now_s = DeadLetterGuard(bounds), 0.0
    past: list[tuple[bool, float] | None] = []
    """Of each settled record: whether a defect set it aside, and when; None where it is done."""
    for reason, elapsed_s in history:
        now_s += elapsed_s
        if reason is None:
            past.append(None)
            guard.done()
            continue
        is_defect = reason is DEFECT
        others = past[1 - bounds.records :] if bounds.records > 1 else []
        letters = [one for one in others if one and one[0] == is_defect]
        share = bounds.defect_share if is_defect else bounds.rejected_share
        within_share = len(letters) + 1 <= max(1, share * bounds.records)
        within_rate = sum(one is not None and one[1] > now_s - 60 for one in past) < (
            bounds.per_minute
        )
        refusal = guard.refusal(reason, now_s=now_s)
        assert (refusal is None) == (within_share and within_rate)
        if refusal is None:
            past.append((is_defect, now_s))
            guard.done()


def guard_of(**bounds: float) -> DeadLetterGuard:
    usual = {"records": 100, "defect_share": 0.02, "rejected_share": 0.05, "per_minute": 1000}
    return DeadLetterGuard(GuardBounds(**(usual | bounds)))  # type: ignore[arg-type]  # whole numbers stay whole


@pytest.mark.parametrize(
    ("reason", "bounds", "setting"),
    [
        (DEFECT, {}, "ZCC_WORKER_GUARD_DEFECT_SHARE"),
        (REJECTED, {}, "ZCC_WORKER_GUARD_REJECTED_SHARE"),
        (DEFECT, {"per_minute": 2}, "ZCC_WORKER_GUARD_PER_MINUTE"),
    ],
)
def test_a_refusal_names_its_setting(
    reason: DeadLetterReason, bounds: dict[str, float], setting: str
) -> None:
    guard = guard_of(**({"defect_share": 1.0} if bounds else {}) | bounds)
    refusals = [guard.refusal(reason, now_s=0) for _ in range(6)]
    assert refusals[-1] == setting
    assert refusals[0] is None


def test_defects_and_rejections_have_shares_of_their_own() -> None:
    guard = guard_of(defect_share=0.01, rejected_share=0.02)
    assert guard.refusal(DEFECT, now_s=0) is None
    assert guard.refusal(REJECTED, now_s=0) is None
    assert guard.refusal(DEFECT, now_s=0) is not None
    assert guard.refusal(REJECTED, now_s=0) is None


def test_a_single_dead_letter_is_never_too_many_for_a_share() -> None:
    assert guard_of(records=3, defect_share=0.01).refusal(DEFECT, now_s=0) is None


def test_the_rate_forgets_after_a_minute() -> None:
    guard = guard_of(rejected_share=1.0, per_minute=1)
    assert guard.refusal(REJECTED, now_s=0) is None
    assert guard.refusal(REJECTED, now_s=59.9) is not None
    assert guard.refusal(REJECTED, now_s=60.0) is None
