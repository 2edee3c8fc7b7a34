"""Looks up entities of the account by id, and lists them, for enrichment.

An id comes from an event and may be anything: a text that cannot be an id belongs to no entity, and
neither does an id that Zoom refuses.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from zoom.catalogue import Operation, find
from zoom.entities import Queue, User
from zoom.errors import AbsentError, RefusedError, ZoomError, ZoomFault, error_of
from zoom.messages import Caller
from zoom.requests.paging import items

Entity = TypeVar("Entity")

longest_id: Final = 200
"""Characters; Zoom's ids have 22 to 36."""


@dataclass(frozen=True, slots=True)
class EntityLookup(Generic[Entity]):
    """The lookup of one kind of entity; a `runtime.contracts.Lookup` by id.

    The operation ``one`` reads one entity by its only parameter; ``several`` lists them.
    """

    caller: Caller
    one: Operation
    several: Operation
    adapter: TypeAdapter[Entity]

    async def get(self, key: str) -> Entity | None:
        """Return the entity with this id, or None where there is none.

        Raises:
            UnavailableError: the answer is unknown.
            ForbiddenError: the app may not read it.
        """
        if not is_id(key):
            return None
        try:
            document = await self.caller.call(
                self.one.name, **{self.one.parameters[0].argument: key}
            )
        except (AbsentError, RefusedError):  # the request carried only an id
            return None
        return self._read(document, self.one)

    async def all(self) -> AsyncGenerator[Entity, None]:
        """Yield all entities of the account, page by page.

        Raises:
            UnavailableError: the list breaks off, or a page is repeated.
            ForbiddenError: the app may not list them.
            RefusedError: the API has changed its parameters.
            AbsentError: there is no such list.
        """
        async with aclosing(items(self.caller, self.several, {})) as documents:
            async for document in documents:
                yield self._read(document, self.several)

    def _read(self, document: object, operation: Operation) -> Entity:
        try:
            return self.adapter.validate_python(document)
        except ValidationError as error:
            raise _unlike(operation, error) from None


def user_lookup(caller: Caller) -> EntityLookup[User]:
    """Look up users."""
    return EntityLookup(caller, find("get_user"), find("list_users"), TypeAdapter(User))


def queue_lookup(caller: Caller) -> EntityLookup[Queue]:
    """Look up queues."""
    return EntityLookup(caller, find("get_queue"), find("list_queues"), TypeAdapter(Queue))


def is_id(text: str) -> bool:
    """Return whether an entity can have this id; other texts would address something else.

    ``me`` and e-mail addresses identify users too, but no event uses them.
    """
    return (
        0 < len(text) <= longest_id
        and text.strip(".") != ""
        and text.casefold() != "me"
        and "@" not in text
        and text.isprintable()
    )


def _unlike(operation: Operation, error: ValidationError) -> ZoomError:
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    location = ".".join(str(step) for step in problem["loc"])
    return error_of(
        ZoomFault.UNEXPECTED, f"{operation.name}: {problem['type']} at /{location} of it"
    )
