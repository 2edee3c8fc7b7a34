"""Partitions are shared out by number, evenly, and stay with the member that has them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from hypothesis import given
from hypothesis import strategies as st

from runtime.kafka.partition_assignment import MemberMetadata, assign
from runtime.values import TopicPartition

Given = Mapping[str, Collection[TopicPartition]]

names = st.sampled_from("abc")
partition_counts = st.dictionaries(names, st.integers(0, 6), min_size=1)
members = st.sets(st.sampled_from(["m0", "m1", "m2", "m3", "m4", "m5"]), min_size=1)
partitions = st.builds(TopicPartition, names, st.integers(0, 5))
claims = st.dictionaries(
    st.sampled_from(["m0", "m1", "m2", "m3", "m4"]),
    st.builds(
        MemberMetadata,
        st.frozensets(names, min_size=1),
        st.frozensets(partitions),
        st.integers(0, 3),
    ),
    min_size=1,
)


def newcomers(counts: Mapping[str, int], members: Collection[str]) -> dict[str, MemberMetadata]:
    return dict.fromkeys(members, MemberMetadata(frozenset(counts)))


def after(given: Given, counts: Mapping[str, int]) -> dict[str, MemberMetadata]:
    """What these members claim at the next rebalance."""
    return {m: MemberMetadata(frozenset(counts), frozenset(owned), 1) for m, owned in given.items()}


def owners(given: Given) -> dict[TopicPartition, str]:
    return {source: member for member, owned in given.items() for source in owned}


def moved(before: Given, now: Given) -> dict[TopicPartition, tuple[str, str]]:
    """From whom to whom, of partitions that had an owner."""
    old, new = owners(before), owners(now)
    return {s: (old[s], new[s]) for s in old.keys() & new.keys() if old[s] != new[s]}


@given(partition_counts, claims)
def test_every_partition_has_one_reader_among_those_who_read_its_topic(
    counts: Mapping[str, int], claims: Mapping[str, MemberMetadata]
) -> None:
    given = assign(counts, claims)
    read = frozenset[str]().union(*(claim.topics for claim in claims.values()))
    expected = {TopicPartition(t, n) for t in read & counts.keys() for n in range(counts[t])}
    assert Counter(s for owned in given.values() for s in owned) == Counter(expected)
    assert given.keys() == claims.keys()
    for member, owned in given.items():
        assert {source.topic for source in owned} <= claims[member].topics


@given(partition_counts, claims)
def test_topics_of_equally_many_partitions_and_the_same_readers_are_read_by_the_same_numbers(
    counts: Mapping[str, int], claims: Mapping[str, MemberMetadata]
) -> None:
    readers = defaultdict(dict)
    for source, member in owners(assign(counts, claims)).items():
        readers[source.topic][source.partition] = member
    alike = defaultdict(list)
    for topic, by_number in readers.items():
        subscribers = frozenset(m for m, claim in claims.items() if topic in claim.topics)
        alike[counts[topic], subscribers].append(by_number)
    for same in alike.values():
        assert all(by_number == same[0] for by_number in same)


@given(partition_counts, claims)
def test_shares_of_a_topic_differ_by_one_at_most(
    counts: Mapping[str, int], claims: Mapping[str, MemberMetadata]
) -> None:
    given = assign(counts, claims)
    for topic in counts:
        sizes = [
            sum(source.topic == topic for source in given[member])
            for member, claim in claims.items()
            if topic in claim.topics
        ]
        assert max(sizes, default=0) - min(sizes, default=0) <= 1


@given(partition_counts, members)
def test_nothing_moves_where_nothing_has_changed(
    counts: Mapping[str, int], members: Collection[str]
) -> None:
    given = assign(counts, newcomers(counts, members))
    assert assign(counts, after(given, counts)) == given


@given(partition_counts, members)
def test_who_joins_is_the_only_one_that_others_give_to(
    counts: Mapping[str, int], members: Collection[str]
) -> None:
    before = assign(counts, newcomers(counts, members))
    now = assign(counts, after(before, counts) | newcomers(counts, ["joiner"]))
    assert {to for _, to in moved(before, now).values()} <= {"joiner"}
    assert len(moved(before, now)) == len(now["joiner"])


@given(partition_counts, members)
def test_who_leaves_is_the_only_one_whose_partitions_move(
    counts: Mapping[str, int], members: Collection[str]
) -> None:
    before = assign(counts, newcomers(counts, members | {"leaver"}))
    left = {m: claim for m, claim in after(before, counts).items() if m != "leaver"}
    now = assign(counts, left)
    assert {source for _, source in enumerate(moved(before, now))} == set(before["leaver"])


@given(partition_counts, st.integers(1, 5))
def test_partitions_that_are_added_move_none_of_those_that_were_there(
    counts: Mapping[str, int], more: int
) -> None:
    before = assign(counts, newcomers(counts, ["m0", "m1"]))
    grown = {topic: count + more for topic, count in counts.items()}
    assert moved(before, assign(grown, after(before, counts))) == {}


def test_of_two_who_claim_a_number_the_one_that_was_given_it_later_keeps_it() -> None:
    topics, number = frozenset({"t"}), frozenset({TopicPartition("t", 0)})
    for early, late in (("a", "b"), ("b", "a")):
        claims = {early: MemberMetadata(topics, number, 1), late: MemberMetadata(topics, number, 2)}
        assert owners(assign({"t": 2}, claims))[TopicPartition("t", 0)] == late


def test_what_does_not_divide_evenly_goes_to_those_who_read_the_least_of_other_topics() -> None:
    counts = {"one": 1, "three": 3}
    given = assign(counts, newcomers(counts, ["a", "b"]))
    assert sorted(len(owned) for owned in given.values()) == [2, 2]
