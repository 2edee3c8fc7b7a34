"""Pure: which member of a group reads which partition numbers.

Topics with the same number of partitions and the same readers are assigned as one: the reader of
number 3 of one topic reads number 3 of all of them. So all records of one engagement reach one
member. Within that, and with shares that differ by at most one, a number stays with its present
owner.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from runtime.values import TopicPartition


@dataclass(frozen=True, slots=True)
class MemberMetadata:
    """What a member sends when it joins: its topics, and its partitions of which round.

    ``round`` orders competing claims; 0 means that the member has received nothing yet.
    """

    topics: frozenset[str]
    owned: frozenset[TopicPartition] = field(default_factory=frozenset)
    round: int = 0


def assign(
    partition_counts: Mapping[str, int], claims: Mapping[str, MemberMetadata]
) -> Mapping[str, Collection[TopicPartition]]:
    """Return the partitions of each member. The result depends only on the arguments.

    Args:
        partition_counts: of each topic that exists; missing topics are not assigned.
        claims: of all members, by name.
    """
    given: dict[str, list[TopicPartition]] = {member: [] for member in sorted(claims)}
    for (count, members), topics in sorted(_alike(partition_counts, claims).items()):
        load = {member: len(given[member]) for member in members}
        for number, member in enumerate(_readers(count, _owners(topics, members, claims), load)):
            given[member] += [TopicPartition(topic, number) for topic in topics]
    return given


def _alike(
    partition_counts: Mapping[str, int], claims: Mapping[str, MemberMetadata]
) -> Mapping[tuple[int, tuple[str, ...]], Sequence[str]]:
    """Return the topics that are assigned as one, by partition count and members."""
    alike = defaultdict(list)
    for topic, count in sorted(partition_counts.items()):
        members = tuple(sorted(member for member in claims if topic in claims[member].topics))
        if members:
            alike[count, members].append(topic)
    return alike


def _owners(
    topics: Sequence[str], members: Sequence[str], claims: Mapping[str, MemberMetadata]
) -> Mapping[int, str]:
    """Return the owner of each number; of two claims, that of the later round."""
    owners: dict[int, str] = {}
    for member in sorted(members, key=lambda member: claims[member].round):
        numbers = (source.partition for source in claims[member].owned if source.topic in topics)
        owners.update(dict.fromkeys(numbers, member))
    return owners


def _readers(count: int, owners: Mapping[int, str], load: Mapping[str, int]) -> Sequence[str]:
    """Return the member for each number from 0 on.

    Where the numbers do not divide evenly, the extra ones go to the members that own the most of
    them, then to those that read the least of other topics.
    """
    has = Counter(owners.values())
    share, more = divmod(count, len(load))
    by_need = sorted(load, key=lambda member: (-has[member], load[member], member))
    room = {member: share + (index < more) for index, member in enumerate(by_need)}
    readers: list[str | None] = [None] * count
    for number in range(count):
        owner = owners.get(number)
        if owner is not None and room[owner]:
            readers[number] = owner
            room[owner] -= 1
    free = iter([member for member in sorted(room) for _ in range(room[member])])
    return [next(free) if reader is None else reader for reader in readers]
