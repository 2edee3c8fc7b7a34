"""Pure: the names of an operation's types.

Names follow those of the operations: ``get_queue`` answers with a ``Queue``, ``list_queues`` with
``ListedQueues``, each a ``ListedQueue``, ``create_queue`` takes a ``CreateQueueBody``. An inner
object is named by its container, and by as many of the members on the way as distinguish it:
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
    """Return the name of an operation's body."""
    return f"{pascal(operation.name)}Body"


def reply_name(operation: Operation) -> str:
    """Return the name of an operation's reply."""
    verb, _, noun = operation.name.partition("_")
    if verb in _replies_by_verb:
        return f"{_replies_by_verb[verb]}{pascal(noun)}"
    return f"{pascal(operation.name)}Reply"


def item_name(operation: Operation) -> str:
    """Return the name of one item of a list: one message of inboxes."""
    _, _, noun = operation.name.partition("_")
    listed, of, whose = noun.partition("_of_")
    return f"Listed{pascal(f'{singular(listed)}{of}{whose}')}"


@dataclass(frozen=True, slots=True)
class SchemaPosition:
    """The position of a schema: its class, the words of its name, and its path."""

    root: str
    side: Side
    operation: Operation
    words: tuple[str, ...] = ()
    path: str = ""

    def member(self, name: str, schema: Schema) -> "SchemaPosition":
        """Return the position of a member of an object."""
        path = f"{self.path}.{name}".lstrip(".")
        if self.side == "reply" and path == self.operation.reply.items:
            return replace(self, root=item_name(self.operation), path=path)
        word = pascal(singular(name) if schema.get("type") == "array" else name)
        return replace(self, words=(*self.words, word), path=path)

    def each(self) -> "SchemaPosition":
        """Return the position of an array's items."""
        return replace(self, path=f"{self.path}[]")

    def choice(self, number: int) -> "SchemaPosition":
        """Return the position of one of several alternative schemas."""
        *before, last = self.words or ("",)
        return replace(self, words=(*before, f"{last}{number}"))

    def names(self) -> Iterator[str]:
        """Yield possible names of its class, the best first."""
        words = self.words
        for index in reversed(range(len(words))):
            yield self.root + "".join(words[index:])
        whole = self.root + "".join(words)
        yield from chain((whole, f"{whole}Item"), (f"{whole}{number}" for number in count(2)))

    def declarations(self) -> Sequence[str]:
        """Lines of its class's docstring: one line, or more where that is too long."""
        does = "takes" if self.side == "body" else "answers with"
        what = f"hat ``{self.operation.name}`` {does}."
        if not self.path:
            return (f"W{what}",)
        line = f"``{self.path}`` of w{what}"
        return (line,) if len(line) <= widest else (f"Part of w{what}", "", f"``{self.path}``")
