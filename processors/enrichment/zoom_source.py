"""Asks Zoom's API for one entity, and says as of when the answer holds."""

from collections.abc import Callable, Mapping
from typing import Final

from processors.entities.kind import UnidentifiedError, project
from processors.entities.kinds import kinds
from runtime.clock import Clock
from schemas.reference_record import ReferenceKey, Snapshot
from zoom.catalogue import Operation, find
from zoom.entity_ids import is_id
from zoom.errors import AbsentError, RefusedError, ZoomFault, error_of
from zoom.messages import Caller

_operations: Final[Mapping[str, Operation]] = {
    kind.entity: find(kind.get_operation) for kind in kinds.values() if kind.get_operation
}

CallerOf = Callable[[str], Caller | None]
"""Returns the API of an account; None where there are no credentials for it."""


class ZoomSource:
    """A `runtime.contracts.Lookup` of entities by their key in the reference topic."""

    def __init__(
        self, caller_of: CallerOf, *, answered: Callable[[Snapshot], None], clock: Clock
    ) -> None:
        """``answered`` receives each entity that exists."""
        self._caller_of = caller_of
        self._answered = answered
        self._clock = clock

    async def get(self, key: ReferenceKey) -> Snapshot | None:
        """Return the entity, or None where there is none.

        An id comes from an event and may be anything: a text that cannot be an id belongs to no
        entity, and neither does an id that Zoom refuses.

        Raises:
            UnavailableError: the answer is unknown.
            ForbiddenError: the app may not read it.
        """
        operation, caller = _operations.get(key.entity), self._caller_of(key.account_id)
        if operation is None or caller is None or not is_id(key.id):
            return None
        # Before the call: what happens while it waits for its turn is newer than its answer.
        as_of_ms = int(self._clock.now().timestamp() * 1000)
        try:
            document = await caller.call(
                operation.name, **{operation.parameters[0].argument: key.id}
            )
        except (AbsentError, RefusedError):  # the request carried only an id
            return None
        try:
            entity_id, state = project(
                kinds[key.entity], document if isinstance(document, dict) else {}
            )
        except UnidentifiedError as error:
            raise error_of(ZoomFault.UNEXPECTED, f"{operation.name}: {error}") from None
        snapshot = Snapshot(ReferenceKey(key.account_id, key.entity, entity_id), as_of_ms, state)
        self._answered(snapshot)
        return snapshot
