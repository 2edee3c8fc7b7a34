"""The guard against its definition: shares of the last records, a rate, topics that are shut."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.retries.dead_letter_guard import (
    DeadLetterGuard,
    GuardBounds,
    GuardRefusal,
    Origin,
    Past,
)
from schemas.reasons import DeadLetterReason

DEFECT, REJECTED = DeadLetterReason.DEFECT, DeadLetterReason.UNREADABLE
settled = st.tuples(
    st.sampled_from([None, None, DEFECT, REJECTED, DeadLetterReason.PARKED]),
    st.floats(0, 30),
)
offsets = count()


def of(topic: str = "a") -> Origin:
    """A record that was not seen before."""
    return Origin(topic, 0, next(offsets))


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
def test_the_first_that_it_refuses_would_have_passed_a_bound_and_none_before(
    bounds: GuardBounds, history: list[tuple[DeadLetterReason | None, float]]
) -> None:
    guard, now_s = DeadLetterGuard(bounds), 0.0
    past: list[tuple[bool, float] | None] = []
    """For each settled record: when a defect made it a dead letter, or None."""
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
        refusal = guard.refusal(of(), reason, now_s=now_s)
        assert (refusal is None) == (within_share and within_rate)
        if refusal is not None:
            return
        past.append((is_defect, now_s))
        guard.done()


topic_letters = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from([DEFECT, REJECTED]), st.integers(0, 3)),
    max_size=200,
)


@given(history=topic_letters, restarts=st.lists(st.integers(1, 60), max_size=4))
def test_however_often_it_starts_again_no_more_than_twice_the_bound_become_dead_letters(
    history: list[tuple[str, DeadLetterReason, int]], restarts: list[int]
) -> None:
    bounds = GuardBounds(records=10_000, defect_share=0.0008, rejected_share=0.0008, per_minute=99)
    guard, written = DeadLetterGuard(bounds), list[Past]()
    for number, (topic, reason, done) in enumerate(history):
        if number in restarts:
            guard = DeadLetterGuard(bounds)
            guard.remember(written, now_s=0.0)
        guard.done(done)
        origin = of(topic)
        if guard.refusal(origin, reason, now_s=0.0) is None:
            written.append(Past(origin, reason, 0.0))
    for kind in (DEFECT, REJECTED):
        assert sum(letter.reason is kind for letter in written) <= 2 * 8


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
    refusals = [guard.refusal(of(), reason, now_s=0) for _ in range(6)]
    assert refusals[-1] == GuardRefusal(setting, frozenset("a"))
    assert refusals[0] is None


def test_defects_and_rejections_have_shares_of_their_own() -> None:
    guard = guard_of(defect_share=0.01, rejected_share=0.02)
    assert guard.refusal(of(), REJECTED, now_s=0) is None
    assert guard.refusal(of(), DEFECT, now_s=0) is None
    assert guard.refusal(of(), REJECTED, now_s=0) is None
    assert guard.refusal(of(), REJECTED, now_s=0) is not None


def test_a_single_dead_letter_is_never_too_many_for_a_share() -> None:
    assert guard_of(records=3, defect_share=0.01).refusal(of(), DEFECT, now_s=0) is None


def test_the_rate_forgets_after_a_minute_and_the_topic_is_open_again_once_assigned() -> None:
    guard = guard_of(rejected_share=1.0, per_minute=1)
    assert guard.refusal(of(), REJECTED, now_s=0) is None
    assert guard.refusal(of(), REJECTED, now_s=59.9) is not None
    assert guard.refusal(of(), REJECTED, now_s=60.0) is not None  # its partition is paused anyway
    guard.reopen()
    assert guard.refusal(of(), REJECTED, now_s=60.0) is None


def test_a_poisoned_topic_is_closed_and_a_stray_of_another_one_becomes_a_dead_letter() -> None:
    guard = guard_of(rejected_share=0.1)
    for _ in range(10):
        assert guard.refusal(of("poisoned"), REJECTED, now_s=0) is None
    assert guard.refusal(of("other"), REJECTED, now_s=0) is None
    refusal = guard.refusal(of("poisoned"), REJECTED, now_s=0)
    assert refusal is not None
    assert refusal.topics == {"poisoned"}
    assert guard.refusal(of("other"), REJECTED, now_s=0) is None


def test_a_cause_that_is_common_to_all_topics_is_reported_by_the_second_that_is_refused() -> None:
    guard = guard_of(defect_share=0.1)
    topics = [f"t{number % 5}" for number in range(25)]
    refusals = [guard.refusal(of(topic), DEFECT, now_s=0) for topic in topics]
    assert [refusal is None for refusal in refusals[:10]] == [True] * 10
    refused = [refusal for refusal in refusals if refusal is not None]
    assert len(refused[-1].topics) > 1
    assert refusals.count(None) <= 2 * 10


def test_a_topic_is_open_again_once_its_letters_are_none_of_the_last_records() -> None:
    guard = guard_of(rejected_share=0.02)
    refusals = [guard.refusal(of(), REJECTED, now_s=0) for _ in range(3)]
    assert refusals[2] is not None
    guard.done(100)
    assert guard.refusal(of(), REJECTED, now_s=0) is None


def test_a_record_that_becomes_a_dead_letter_again_after_a_crash_counts_once() -> None:
    guard, known = guard_of(rejected_share=0.02), of()
    guard.remember([Past(known, REJECTED, 5.0), Past(of(), REJECTED, 5.0)], now_s=0)
    assert guard.refusal(known, REJECTED, now_s=0) is None
    assert guard.refusal(of(), REJECTED, now_s=0) is not None
    assert guard.refusal(known, REJECTED, now_s=0) is None
