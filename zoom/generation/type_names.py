"""Pure: what the types of an operation are called.

Names follow those of the operations: ``get_queue`` answers with a ``Queue``, ``list_queues`` with
``ListedQueues``, each a ``ListedQueue``, ``create_queue`` takes a ``CreateQueueBody``. An object
inside is called by what it is in, and by as much of the way down as no other needs:
``CreateQueueBodyAgent``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Final, Literal

from schemas.generation.python_text import line_length
from zoom.catalogue import Operation, Schema
from zoom.generation.layout import pascal
from zoom.generation.names import singular

_replies_by_verb: Final = {"get": "", "list": "Listed", "create": "Created", "update": "Updated"}

Side = Literal["body", "reply"]

widest: Final = line_length - len("    ") - 2 * len('"""')


def body_name(operation: Operation) -> str:
    """Name what an operation takes."""
    return f"{pascal(operation.name)}Body"


def reply_name(operation: Operation) -> str:
    """Name what an operation answers with."""
    verb, _, noun = operation.name.partition("_")
    if verb in _replies_by_verb:
        return f"{_replies_by_verb[verb]}{pascal(noun)}"
    return f"{pascal(operation.name)}Reply"


def item_name(operation: Operation) -> str:
    """Name one of those that a list answers with: one message of inboxes."""
    _, _, noun = operation.name.partition("_")
    listed, of, whose = noun.partition("_of_")
    return f"Listed{pascal(f'{singular(listed)}{of}{whose}')}"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a schema stands: below which class, by which words, and at which path."""

    root: str
    side: Side
    operation: Operation
    words: tuple[str, ...] = ()
    path: str = ""

    def member(self, name: str, schema: Schema) -> "Spot":
        """Go down to a member of an object."""
        path = f"{self.path}.{name}".lstrip(".")
        if self.side == "reply" and path == self.operation.reply.items:
            return replace(self, root=item_name(self.operation), path=path)
        word = pascal(singular(name) if schema.get("type") == "array" else name)
        return replace(self, words=(*self.words, word), path=path)

    def each(self) -> "Spot":
        """Go down to an item of an array."""
        return replace(self, path=f"{self.path}[]")

    def choice(self, number: int) -> "Spot":
        """Go down to one of several schemas of which one holds."""
        *before, last = self.words or ("",)
        return replace(self, words=(*before, f"{last}{number}"))

    def names(self) -> Iterator[str]:
        """Yield what a class for it may be called, the best first."""
        words = self.words
        for index in reversed(range(len(words))):
            yield self.root + "".join(words[index:])
        whole = self.root + "".join(words)
        yield from chain((whole, f"{whole}Item"), (f"{whole}{number}" for number in count(2)))

    def declarations(self) -> Sequence[str]:
        """What a class for it is, for its docstring: a line, and more where that is too long."""
        does = "takes" if self.side == "body" else "answers with"
        what = f"hat ``{self.operation.name}`` {does}."
        if not self.path:
            return (f"W{what}",)
        line = f"``{self.path}`` of w{what}"
        return (line,) if len(line) <= widest else (f"Part of w{what}", "", f"``{self.path}``")
