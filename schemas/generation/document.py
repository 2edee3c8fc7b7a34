"""Pure: reads the vendor's OpenAPI document, and reports its mistakes.

Every mistake is a `SchemaSourceError` with a JSON pointer, so that the reader of a new file finds
it in an editor. Other readers miss two mistakes: a repeated member (all but the last is lost), and
a text that ends too early.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeGuard

_token: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\],:]', re.DOTALL)
"""The tokens that determine a position in a JSON text: strings and structure, not numbers and
words."""


class SchemaSourceError(ValueError):
    """The vendor's document cannot be used. ``pointer`` is a JSON pointer, "" the whole."""

    def __init__(self, pointer: str, cause: str) -> None:
        super().__init__(f"#{pointer}: {cause}")
        self.pointer = pointer
        self.cause = cause


@dataclass(frozen=True, slots=True)
class JsonPointer:
    """A value of the document, with its JSON pointer."""

    value: object
    pointer: str = ""

    def member(self, name: str) -> "JsonPointer":
        """Return a member.

        Raises:
            SchemaSourceError: this is not an object, or has no such member.
        """
        members = self.as_object()
        if name not in members:
            raise SchemaSourceError(self.pointer, f"expected a member {name!r}")
        return JsonPointer(members[name], f"{self.pointer}/{_escaped(name)}")

    def members(self) -> "Iterator[tuple[str, JsonPointer]]":
        """Yield (name, value) of each member, in order.

        Raises:
            SchemaSourceError: this is not an object.
        """
        for name in self.as_object():
            yield name, self.member(name)

    def as_object(self) -> Mapping[str, object]:
        """Return the members.

        Raises:
            SchemaSourceError: this is not an object.
        """
        if not _is_object(self.value):
            raise SchemaSourceError(self.pointer, f"expected an object, got {_kind(self.value)}")
        return self.value

    def as_text(self) -> str:
        """Return the string.

        Raises:
            SchemaSourceError: this is not a string.
        """
        if not isinstance(self.value, str):
            raise SchemaSourceError(self.pointer, f"expected a string, got {_kind(self.value)}")
        return self.value

    def as_list(self) -> list[object]:
        """Return the array.

        Raises:
            SchemaSourceError: this is not an array.
        """
        if not isinstance(self.value, list):
            raise SchemaSourceError(self.pointer, f"expected an array, got {_kind(self.value)}")
        return self.value


class _Repeated(dict[str, object]):
    """An object whose text contains ``name`` more than once."""

    def __init__(self, pairs: list[tuple[str, object]], name: str) -> None:
        super().__init__(pairs)
        self.name = name


def read_document(text: bytes) -> dict[str, object]:
    """Parse an OpenAPI 3 document in JSON that describes webhooks.

    Raises:
        SchemaSourceError: it is something else, incomplete, or repeats a member.
    """
    try:
        document = JsonPointer(_parsed(text))
        repeated = next(_repeated(document), None)
    except RecursionError:
        raise SchemaSourceError("", "nested too deeply to be read") from None
    if "openapi" not in document.as_object():
        raise SchemaSourceError("", "expected an OpenAPI document: it has no member 'openapi'")
    version = document.member("openapi")
    if not version.as_text().startswith("3."):
        raise SchemaSourceError(version.pointer, f"expected OpenAPI 3, got {version.as_text()!r}")
    if repeated is not None:
        raise SchemaSourceError(repeated, "stands twice")
    return dict(document.as_object())


def _parsed(text: bytes) -> object:
    try:
        decoded = text.decode("utf-8-sig")
        return json.loads(decoded, object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise SchemaSourceError("", f"expected UTF-8: byte {error.start} is not") from None
    except json.JSONDecodeError as error:
        raise SchemaSourceError(_pointer_at(error.doc, error.pos), _cause(error)) from None


def _cause(error: json.JSONDecodeError) -> str:
    if not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated string"):
        return f"the text ends here, in line {error.doc.count(chr(10)) + 1}: it is not whole"
    return f"expected JSON: line {error.lineno} column {error.colno}: {error.msg}"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    names = [name for name, _ in pairs]
    return _Repeated(pairs, next(name for name in names if names.count(name) > 1))


def _no_constant(name: str) -> NoReturn:
    raise SchemaSourceError("", f"expected JSON, got {name}")


def _repeated(node: JsonPointer) -> Iterator[str]:
    """Yield the pointers of all repeated members."""
    if isinstance(node.value, _Repeated):
        yield node.member(node.value.name).pointer
    if _is_object(node.value):
        for _, member in node.members():
            yield from _repeated(member)
    elif isinstance(node.value, list):
        for index, item in enumerate(node.value):
            yield from _repeated(JsonPointer(item, f"{node.pointer}/{index}"))


def _pointer_at(text: str, position: int) -> str:
    """Return the pointer of the value at a position of the text."""
    path: list[str | int] = []
    last = ""
    for token in _token.finditer(text, 0, position):
        match token[0]:
            case "{":
                path.append("")
            case "[":
                path.append(0)
            case "}" | "]":
                path = path[:-1]
            case ":" if path:
                path[-1] = last
            case "," if path:
                path[-1] = path[-1] + 1 if isinstance(path[-1], int) else ""
            case _:
                last = token[1] or ""
    return "".join(f"/{_escaped(str(step))}" for step in path if step != "")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
