"""An assignment says which of how many members it is for."""

import json

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from runtime.kafka.assignor import Assignor


def test_every_member_learns_the_number_of_members_and_its_own_rank() -> None:
    members = {f"m{number}": Assignor() for number in range(3)}
    metadata = {name: member.metadata(["t"]) for name, member in members.items()}
    given = members["m0"].assign(ClusterMetadata(), metadata)
    for name, member in members.items():
        member.on_assignment(given[name])
    assert {member.rank for member in members.values()} == {0, 1, 2}
    assert {member.members for member in members.values()} == {3}


def test_an_assignment_of_an_older_release_says_nothing_of_members() -> None:
    member = Assignor()
    made_of = json.dumps({"round": 3, "partition_counts": {"t": 2}}).encode()
    member.on_assignment(ConsumerProtocolMemberAssignment(0, [("t", [0])], made_of))
    assert (member.rank, member.members) == (None, 0)
    assert member.partition_counts == {"t": 2}


@pytest.mark.parametrize("nothing", [None, b""])
def test_an_assignment_that_the_broker_made_is_known_for_one(nothing: bytes | None) -> None:
    member = Assignor()
    member.on_assignment(ConsumerProtocolMemberAssignment(0, [("t", [0])], nothing))
    assert member.bypassed
    made_of = json.dumps({"round": 3, "partition_counts": {"t": 2}}).encode()
    member.on_assignment(ConsumerProtocolMemberAssignment(0, [("t", [0])], made_of))
    assert not member.bypassed
