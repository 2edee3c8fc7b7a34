"""What is asked next of an engagement, and what is published."""

import pytest

from processors.outcomes.parts import Part, Reason, nothing_there
from processors.outcomes.progress import Attempt, Limits, Memory, OutcomeProgress, Verdict, decide
from runtime.values import Delivery
from schemas.envelope import JsonObject

LIMITS = Limits(attempts=5, give_up_s=60.0)
ALL = frozenset(Part)
DETAILS: JsonObject = {"channels": [{"channel": "voice"}], "durations": {"talking_ms": 5_000}}
ENDED = Delivery("zcc.engagement.v1", 0, 7, b"a:e", b'{"x": 1}', (), 0)


def attempt(number: int, age_s: float = 5.0, name: str = "") -> Attempt:
    return Attempt(number, name or f"record#{number}", age_s)


def settled(**changes: object) -> OutcomeProgress:
    """All parts are known."""
    progress = OutcomeProgress(ended=ENDED)
    progress.take({Part.DETAILS: DETAILS, Part.DATASET: {}, **nothing_there}, as_of_ms=1)
    for name, value in changes.items():
        setattr(progress, name, value)
    return progress


def test_the_details_come_first_and_say_which_parts_follow() -> None:
    progress = OutcomeProgress()
    assert progress.wanted(ALL) == (Part.DETAILS,)
    progress.take({Part.DETAILS: DETAILS | {"notes": []}}, as_of_ms=1)
    assert progress.wanted(ALL) == (Part.DATASET, Part.TIMELINE, Part.SURVEY, Part.RECORDINGS)
    assert progress.wanted({Part.DETAILS, Part.SURVEY}) == (Part.SURVEY,)
    progress.take({Part.SURVEY: Reason.UNAVAILABLE, Part.TIMELINE: {}}, as_of_ms=2)
    assert progress.wanted(ALL) == (Part.DATASET, Part.SURVEY, Part.RECORDINGS)


@pytest.mark.parametrize("reason", [Reason.ABSENT, Reason.FORBIDDEN])
def test_what_is_finally_missing_is_not_requested_again(reason: Reason) -> None:
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: reason}, as_of_ms=1)
    assert progress.wanted(ALL) == ()
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: DETAILS, Part.SURVEY: reason}, as_of_ms=1)
    assert Part.SURVEY not in progress.wanted(ALL)


def test_an_answer_replaces_the_reason_and_the_time_never_goes_back() -> None:
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: Reason.NOT_READY}, as_of_ms=20)
    assert (progress.status, progress.as_of_ms) == ("unavailable", 20)
    progress.take({Part.DETAILS: DETAILS, Part.NOTES: Reason.FORBIDDEN}, as_of_ms=10)
    assert (progress.status, progress.as_of_ms) == ("partial", 20)
    progress.take({Part.NOTES: {"notes": []}}, as_of_ms=30)
    assert (progress.status, progress.as_of_ms) == ("complete", 30)
    progress.take({}, as_of_ms=40)
    assert progress.as_of_ms == 30


def test_exact_durations_replace_whole_seconds_and_leave_the_others() -> None:
    progress = OutcomeProgress()
    progress.take(
        {
            Part.DATASET: {"durations": {"talking_ms": 5_123, "hold_ms": 7}},
            Part.DETAILS: {"durations": {"talking_ms": 5_000, "waiting_ms": 9_000}},
        },
        as_of_ms=1,
    )
    assert progress.outcome == {
        "durations": {"talking_ms": 5_123, "waiting_ms": 9_000, "hold_ms": 7}
    }


def test_while_zoom_is_not_ready_nothing_is_published_until_the_last_attempt() -> None:
    progress = OutcomeProgress(ended=ENDED)
    progress.take({Part.DETAILS: Reason.NOT_READY}, as_of_ms=1)
    for number in (2, 3, 4):
        assert decide(progress, attempt(number), LIMITS) == Verdict(
            publish=False, revise=False, again=True
        )
    assert decide(progress, attempt(5), LIMITS) == Verdict(publish=True, revise=False, again=False)


def test_an_engagement_is_given_up_after_its_time_even_with_attempts_left() -> None:
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: Reason.NOT_READY}, as_of_ms=1)
    assert decide(progress, attempt(2, age_s=60.0), LIMITS) == Verdict(
        publish=True, revise=False, again=False
    )


def test_a_missing_part_is_worth_another_attempt_however_old_the_engagement_is() -> None:
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: DETAILS, Part.NOTES: Reason.UNAVAILABLE}, as_of_ms=1)
    assert decide(progress, attempt(2, age_s=9e6), LIMITS) == Verdict(
        publish=True, revise=False, again=True
    )
    assert decide(progress, attempt(5, age_s=9e6), LIMITS).again is False


def test_a_part_that_is_forbidden_asks_for_no_other_attempt() -> None:
    progress = OutcomeProgress(ended=ENDED)
    progress.take({Part.DETAILS: DETAILS, Part.NOTES: Reason.FORBIDDEN}, as_of_ms=1)
    assert decide(progress, attempt(2), LIMITS) == Verdict(publish=True, revise=True, again=False)


def test_only_what_says_more_is_published_again() -> None:
    progress = OutcomeProgress(ended=ENDED)
    progress.take({Part.DETAILS: DETAILS, Part.NOTES: Reason.UNAVAILABLE}, as_of_ms=1)
    assert decide(progress, attempt(2), LIMITS) == Verdict(publish=True, revise=True, again=True)
    assert decide(progress, attempt(3), LIMITS) == Verdict(publish=False, revise=False, again=True)
    progress.take({Part.NOTES: {"notes": []}}, as_of_ms=2)
    assert decide(progress, attempt(4), LIMITS) == Verdict(publish=True, revise=True, again=False)
    assert decide(progress, attempt(5), LIMITS) == Verdict(publish=False, revise=False, again=False)


def test_an_end_that_is_seen_later_is_revised_alone() -> None:
    progress = settled(ended=None)
    assert decide(progress, attempt(2), LIMITS) == Verdict(publish=True, revise=False, again=False)
    progress.ended = ENDED
    assert decide(progress, attempt(3), LIMITS) == Verdict(publish=False, revise=True, again=False)


def test_an_attempt_that_comes_again_repeats_its_output() -> None:
    progress = settled()
    once = decide(progress, attempt(2), LIMITS)
    assert once == decide(progress, attempt(2), LIMITS)
    assert decide(progress, attempt(3), LIMITS) == Verdict(publish=False, revise=False, again=False)


def test_details_after_all_are_published_after_unavailable() -> None:
    progress = OutcomeProgress()
    progress.take({Part.DETAILS: Reason.NOT_READY}, as_of_ms=1)
    assert decide(progress, attempt(5), LIMITS).publish
    progress.take({Part.DETAILS: DETAILS}, as_of_ms=2)
    assert decide(progress, attempt(5, name="another"), LIMITS).publish


def test_the_memory_forgets_what_was_not_seen_for_the_longest_time() -> None:
    one = OutcomeProgress().size_bytes
    memory = Memory(3 * one)
    for key in (b"a", b"b", b"c"):
        assert memory.keep(key, OutcomeProgress()) == 0
    memory.keep(b"a", memory.of(b"a"))
    known = settled()
    assert memory.keep(b"d", known) >= 1
    assert memory.of(b"b") is not memory.of(b"b"), "forgotten"
    assert memory.of(b"d") is known


def test_the_memory_counts_what_an_engagement_takes_now() -> None:
    memory, progress = Memory(10**6), OutcomeProgress()
    memory.keep(b"a", progress)
    small = memory.size_bytes
    progress.take({Part.NOTES: {"notes": ["x" * 1000]}}, as_of_ms=1)
    progress.ended = ENDED
    memory.keep(b"a", progress)
    assert memory.size_bytes - small > 1000 + ENDED.size_bytes
    assert (len(memory), memory.size_bytes) == (1, progress.size_bytes)


def test_one_engagement_is_kept_even_above_the_bound() -> None:
    memory, progress = Memory(1), settled()
    assert memory.keep(b"a", progress) == 0
    assert memory.of(b"a") is progress
