"""The invariants of an engagement's progress hold whatever Zoom answers, and in which order."""

from hypothesis import given
from hypothesis import strategies as st

from processors.outcomes.parts import Part, Reason
from processors.outcomes.progress import Attempt, Limits, Memory, OutcomeProgress, decide
from runtime.values import Delivery
from schemas.envelope import JsonObject

LIMITS = Limits(attempts=5, give_up_s=60.0)
ENDED = Delivery("t", 0, 0, b"k", b"{}", (), 0)
DETAILS: JsonObject = {"channels": [{"channel": "voice"}]}

answers = st.one_of(st.sampled_from(Reason), st.just("found"))
attempts = st.tuples(
    st.integers(2, LIMITS.attempts),
    st.floats(0, 200),
    st.booleans(),
    st.fixed_dictionaries(dict.fromkeys(Part, answers)),
)


@given(st.lists(attempts, max_size=12), st.sets(st.sampled_from(Part)))
def test_invariants(
    history: list[tuple[int, float, bool, dict[Part, str]]], requested: set[Part]
) -> None:
    progress, requested = OutcomeProgress(), requested | {Part.DETAILS}
    snapshots = revisions = 0
    settled: set[Part] = set()
    for ordinal, (number, age_s, is_end, given_answers) in enumerate(history):
        if is_end:
            progress.ended = ENDED
        rounds = 0
        while wanted := progress.wanted(requested):
            assert not settled.intersection(wanted), "3: what is settled is not requested again"
            assert set(wanted) <= requested
            found_parts: dict[Part, JsonObject | Reason] = {}
            for part in wanted:
                answer = given_answers[part]
                found = DETAILS if part is Part.DETAILS else {}
                found_parts[part] = answer if isinstance(answer, Reason) else found
                if answer not in {Reason.NOT_READY, Reason.UNAVAILABLE}:
                    settled.add(part)
            progress.take(found_parts, as_of_ms=ordinal)
            rounds += 1
            if Part.DETAILS not in wanted or Part.DETAILS not in progress.parts:
                break
        assert rounds <= 2
        before = progress.status, dict(progress.parts)
        verdict = decide(progress, Attempt(number, f"#{ordinal}", age_s), LIMITS)
        assert (progress.status, progress.parts) == before, "a verdict changes no answer"
        known = Part.DETAILS in progress.parts
        assert not (verdict.publish and not known and verdict.again), "1: only at the end"
        assert not (verdict.revise and (not known or progress.ended is None)), "5"
        open_ = {*progress.missing.values()} - {Reason.ABSENT, Reason.FORBIDDEN}
        patient = known or age_s < LIMITS.give_up_s
        assert verdict.again == bool(open_ and number < LIMITS.attempts and patient), "4"
        again = decide(progress, Attempt(number, f"#{ordinal}", age_s), LIMITS)
        assert again == verdict, "6: the same attempt says the same again"
        snapshots += verdict.publish
        revisions += verdict.revise
    assert snapshots <= 1 + len(Part), "2: each snapshot says more"
    assert revisions <= len(Part)
    if progress.status == "complete":
        assert requested.intersection(progress.parts)
        assert not progress.missing


keys = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])


@given(st.lists(st.tuples(keys, st.integers(0, 3_000)), max_size=40), st.integers(1, 9_000))
def test_the_memory_stays_within_its_bound(uses: list[tuple[bytes, int]], max_bytes: int) -> None:
    memory = Memory(max_bytes)
    forgotten, kept = 0, set()
    for key, size in uses:
        progress = memory.of(key)
        progress.take({Part.NOTES: {"notes": ["x" * size]}}, as_of_ms=0)
        forgotten += memory.keep(key, progress)
        kept.add(key)
        assert memory.of(key) is progress
        assert memory.size_bytes <= max_bytes or len(memory) == 1
        assert memory.size_bytes == sum(memory.of(k).size_bytes for k in kept if held(memory, k))


def held(memory: Memory, key: bytes) -> bool:
    return memory.of(key) is memory.of(key)
