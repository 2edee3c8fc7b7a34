"""Pure: the operations that are called, and how their address is written.

Source: Zoom Contact Center REST API, OpenAPI 3.1 (paths, labels, page sizes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter, ValidationError

from zoom.budget import Label
from zoom.entities import Queue, QueuePage, User, UserPage
from zoom.errors import Fault, error_of

Reply_co = TypeVar("Reply_co", covariant=True)

largest_page: Final = "300"
longest_id: Final = 200
"""Characters; Zoom's ids have 22 to 36."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[Reply_co]):
    """One GET of the API. ``path`` holds ``{id}`` where it is about one entity."""

    name: str
    label: Label
    path: str
    reply: TypeAdapter[Reply_co]

    def address(self, *, entity_id: str = "", query: Mapping[str, str]) -> str:
        """Return path and query, escaped, to be put behind the base URL."""
        path = self.path.replace("{id}", escaped(entity_id))
        return f"{path}?{urlencode(query)}" if query else path

    def read(self, body: bytes) -> Reply_co:
        """Parse the body of a reply.

        Raises:
            UnavailableError: half a JSON, HTML, or JSON that is no such reply; the body and what
                it holds are not in the message.
        """
        try:
            return self.reply.validate_json(body)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
            if problem["type"] == "json_invalid":
                raise error_of(Fault.NOT_JSON, f"{self.name}: the reply is no JSON") from None
            place = ".".join(str(step) for step in problem["loc"])
            detail = f"{self.name}: {problem['type']} at /{place} of the reply"
            raise error_of(Fault.UNEXPECTED, detail) from None


def escaped(entity_id: str) -> str:
    """Escape an id for a path, twice where it holds what gateways unescape too early.

    Source: Zoom API, UUIDs that contain / or +.
    """
    once = quote(entity_id, safe="")
    return quote(once, safe="") if "/" in entity_id or "+" in entity_id else once


def is_id(text: str) -> bool:
    """Whether an entity can have this id; anything else would name another thing in a path.

    ``me`` and e-mail addresses mean users too, but no event calls a user so; dots would climb.
    """
    return (
        0 < len(text) <= longest_id
        and text.strip(".") != ""
        and text.casefold() != "me"
        and "@" not in text
        and text.isprintable()
    )


get_user: Final = Operation(
    "get_user", Label.LIGHT, "/contact_center/users/{id}", TypeAdapter(User)
)
list_users: Final = Operation(
    "list_users", Label.MEDIUM, "/contact_center/users", TypeAdapter(UserPage)
)
get_queue: Final = Operation(
    "get_queue", Label.LIGHT, "/contact_center/queues/{id}", TypeAdapter(Queue)
)
list_queues: Final = Operation(
    "list_queues", Label.MEDIUM, "/contact_center/queues", TypeAdapter(QueuePage)
)
