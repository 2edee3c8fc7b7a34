"""A consumer group of the Kafka in memory."""

from typing import TYPE_CHECKING

from runtime.ports import Position
from runtime.values import TopicPartition

if TYPE_CHECKING:
    from tests.support.fakes.kafka import FakeConsumer


class Group:
    """Members, what they committed, and where the present rebalance stands.

    A member that polls joins; once all have joined there is a new generation. Members of which
    nothing is heard are waited for until their session is over.
    """

    def __init__(self) -> None:
        self.members: list[FakeConsumer] = []
        self.joined: list[FakeConsumer] = []
        self.generation = 0
        self.rebalancing_since_s: float | None = None
        self.committed: dict[TopicPartition, Position] = {}
        self.committed_in: dict[TopicPartition, str] = {}
        """The id of the topic that each was committed in; none where a test has put it there."""

    def dismiss(self, member: "FakeConsumer") -> None:
        """Do without a member; what it was given and does not know of yet is void."""
        self.members.remove(member)
        member.generation = None
        member.given = None
