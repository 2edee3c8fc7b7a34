"""Assigns partitions within a group, in the form of the library; see `assign`.

Members send JSON as their user data when they join, and receive JSON with their assignment. An
assignment names the partition counts it was made from, because a member with a static id that
returns takes over an assignment without a new round. It also names the member's rank among how
many, so that all members learn of a change of their number in the same generation.
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
        """Which of the group's `members` this one is; None if the assignment does not say it."""

        self.members = 0

        self.bypassed = False
        """Whether the present assignment was made by somebody else: the broker, that is."""

        self._owned: frozenset[TopicPartition] = frozenset()
        self._round = 0

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return the metadata that this member sends when it joins."""
        owned = dict(_by_topic(sorted(self._owned)))
        return ConsumerProtocolMemberMetadata(
            _version, sorted(topics), _json(round=self._round, owned=owned)
        )

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> Mapping[str, ConsumerProtocolMemberAssignment]:
        """Return the assignment of each member. The library calls it on the leader of the group."""
        claims = {member: _claim(metadata) for member, metadata in members.items()}
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
        """Note the assignment of this member.

        With a member of the consumer protocol (KIP-848) in the group, the broker assigns by itself:
        it ignores this assignor, and its assignment carries no user data.
        """
        self._owned = frozenset(TopicPartition(*source) for source in assignment.partitions())
        self.bypassed = not assignment.user_data
        if self.bypassed:
            return
        made_of = json.loads(assignment.user_data)
        self._round = made_of["round"]
        self.partition_counts = made_of["partition_counts"]
        # During a rolling upgrade the leader may run a release that sends no members.
        self.rank, self.members = made_of.get("rank"), made_of.get("members", 0)


def _claim(metadata: ConsumerProtocolMemberMetadata) -> MemberMetadata:
    more = json.loads(metadata.user_data)
    owned = frozenset(
        TopicPartition(topic, number)
        for topic, numbers in more["owned"].items()
        for number in numbers
    )
    return MemberMetadata(frozenset(metadata.subscription), owned, more["round"])


def _by_topic(given: Iterable[TopicPartition]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for topic, number in given:
        topics.setdefault(topic, []).append(number)
    return sorted(topics.items())


def _json(**metadata: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    return json.dumps(metadata, separators=(",", ":")).encode()
