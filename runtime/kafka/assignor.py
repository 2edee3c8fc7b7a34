"""How the members of a group share out partitions, as the library asks for it; see `assign`.

What members say when they join, and what comes with an assignment, is JSON in the places that the
group protocol keeps for it. An assignment says of how many partitions it was made, because a member
with a static id that comes back takes over an assignment that was made without it; and which of how
many members it is for, so that all learn of a change of their number in the same generation.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from runtime.kafka.partition_assignment import MemberMetadata, assign
from runtime.values import TopicPartition

_version: Final = 0


class Assignor:
    """The assignor of one member. All members of a group have to use one of this name."""

    name: Final = "zcc-numbers"

    def __init__(self) -> None:
        self.partition_counts: Mapping[str, int] = {}
        """Of each topic, as the present assignment was made."""

        self.rank: int | None = None
        """Which of the `members` of the group this one is; None where nothing was said of it."""

        self.members = 0

        self.bypassed = False
        """Whether the present assignment was made by somebody else: the broker, that is."""

        self._owned: frozenset[TopicPartition] = frozenset()
        self._round = 0

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return what this member says when it joins."""
        owned = dict(_by_topic(sorted(self._owned)))
        return ConsumerProtocolMemberMetadata(
            _version, sorted(topics), _json(round=self._round, owned=owned)
        )

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> Mapping[str, ConsumerProtocolMemberAssignment]:
        """Return the assignment of each member, as the leader of the group."""
        claims = {member: _claim(said) for member, said in members.items()}
        topics = frozenset[str]().union(*(claim.topics for claim in claims.values()))
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in sorted(topics)}
        made_of = {
            "round": 1 + max(claim.round for claim in claims.values()),
            "partition_counts": counts,
            "members": len(claims),
        }
        return {
            member: ConsumerProtocolMemberAssignment(
                _version, _by_topic(given), _json(**made_of, rank=rank)
            )
            for rank, (member, given) in enumerate(sorted(assign(counts, claims).items()))
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Note what this member was given.

        A broker that has members of the consumer protocol (KIP-848) in the group shares out by
        itself, whatever classic members ask for, and says nothing of how.
        """
        self._owned = frozenset(TopicPartition(*source) for source in assignment.partitions())
        self.bypassed = not assignment.user_data
        if self.bypassed:
            return
        made_of = json.loads(assignment.user_data)
        self._round = made_of["round"]
        self.partition_counts = made_of["partition_counts"]
        # While a release is rolled out, the leader may be of one that said nothing of members.
        self.rank, self.members = made_of.get("rank"), made_of.get("members", 0)


def _claim(said: ConsumerProtocolMemberMetadata) -> MemberMetadata:
    more = json.loads(said.user_data)
    owned = frozenset(
        TopicPartition(topic, number)
        for topic, numbers in more["owned"].items()
        for number in numbers
    )
    return MemberMetadata(frozenset(said.subscription), owned, more["round"])


def _by_topic(given: Iterable[TopicPartition]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for topic, number in given:
        topics.setdefault(topic, []).append(number)
    return sorted(topics.items())


def _json(**said: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    return json.dumps(said, separators=(",", ":")).encode()
