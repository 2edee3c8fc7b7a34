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


def test_an_object_with_a_new_member_is_measured_at_once_and_only_the_first() -> None:
    sample, other = not_due(), not_due()
    assert sample.is_due((*USUAL, "novel"))
    assert not other.is_due(USUAL), "the schedule did not do it"
    assert measured(sample, 64, ("novel", *USUAL)) == measured(other, 64)


@pytest.mark.parametrize("members", [USUAL[:1], USUAL[::-1], ()])
def test_another_set_of_known_members_is_nothing_new(members: tuple[str, ...]) -> None:
    assert measured(not_due(), 64, members) == measured(not_due(), 64)


def not_due() -> EventSample:
    """A sample past its first events, in the midst of a gap."""
    sample = after_the_first()
    while sample.is_due(USUAL) or sample.is_due(USUAL):
        pass
    return sample


def test_the_members_that_are_remembered_are_bounded() -> None:
    sample = EventSample()
    due = [sample.is_due((f"member {number}",)) for number in range(5_000)]
    assert all(due[:1_000])
    assert not all(due[1_000:])
