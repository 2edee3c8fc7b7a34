"""Which events of a kind are measured."""

from itertools import pairwise

import pytest

from processors.enrichment.sampling import EventSample, first_events, mean_gap

USUAL = ("user_id", "date_time_ms")


def measured(sample: EventSample, count: int, members: tuple[str, ...] = USUAL) -> list[int]:
    """The numbers of the events that are due, from 0 on."""
    return [number for number in range(count) if sample.is_due(members)]


def after_the_first() -> EventSample:
    sample = EventSample()
    assert measured(sample, first_events) == list(range(first_events))
    return sample


def test_each_of_the_first_events_is_measured_and_then_about_one_in_sixteen() -> None:
    count = 100_000
    assert len(measured(after_the_first(), count)) == pytest.approx(count / mean_gap, rel=0.05)


def test_no_two_measured_events_are_far_apart() -> None:
    due = measured(after_the_first(), 10_000)
    gaps = {later - earlier for earlier, later in pairwise(due)}
    assert gaps == set(range(1, 2 * mean_gap + 1))


@pytest.mark.parametrize("period", [2, 3, 8, 16, 32, 64])
def test_traffic_with_a_rhythm_hides_nothing(period: int) -> None:
    due = measured(after_the_first(), 10_000)
    assert {number % period for number in due} == set(range(period))


def test_an_object_with_other_members_is_measured_at_once_and_only_the_first() -> None:
    sample = after_the_first()
    while sample.is_due(USUAL):
        pass
    assert sample.is_due((*USUAL, "novel"))
    assert measured(sample, 64, (*USUAL, "novel")) == measured_alone(sample_after=1)


def measured_alone(*, sample_after: int) -> list[int]:
    """What is due without a new set of members, after as many events."""
    sample = after_the_first()
    while sample.is_due(USUAL):
        pass
    for _ in range(sample_after):
        sample.is_due(USUAL)
    return measured(sample, 64)


def test_the_sets_of_members_that_are_remembered_are_bounded() -> None:
    sample = EventSample()
    for number in range(5_000):
        assert sample.is_due((str(number),)), "each is new"
    assert not all(sample.is_due(("4999",)) for _ in range(40)), "the latest is remembered"
    assert all(sample.is_due((str(number),)) for number in range(64)), "the oldest are not"
