"""What the group gave a consumer."""

from collections.abc import Collection

from runtime.values import Assignment, TopicPartition


class Listener:
    """`runtime.ports.RebalanceListener` that keeps the assignments."""

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        pass

    async def assigned(self, assignment: Assignment) -> None:
        self.assignments.append(assignment)
