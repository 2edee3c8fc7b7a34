"""Pure: finds the operation of a method and a path.

A path is walked word by word. A literal precedes a parameter, so that ``/users/templates`` is never
a user, and a fully known path precedes the check of its methods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from simulator.rest.documents import ApiError
from zoom.catalogue import Operation


@dataclass(slots=True)
class _RouteNode:
    """A node of the path tree: its children, and the operations that end here."""

    literals: "dict[str, _RouteNode]" = field(default_factory=dict)
    parameter: "_RouteNode | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Routes:
    """The operations by their paths below the base URL."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _RouteNode()
        for operation in operations:
            _grow(self._root, operation)

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        """Return the operation and the values of its path's parameters.

        ``path`` has been unescaped once, as a server does; the values are unescaped once more.

        Raises:
            ApiError: 404: no such path; 405: not with this method.
        """
        words = path.removeprefix("/").split("/")
        node = _walk(self._root, words)
        if node is None:
            raise ApiError(404, 404, "no operation has this path")
        operation = node.operations.get(method)
        if operation is None:
            allow = {"Allow": ", ".join(sorted(node.operations))}
            raise ApiError(405, 405, "this path has no such method", allow)
        return operation, _values(operation, words)


def _grow(root: _RouteNode, operation: Operation) -> None:
    node = root
    for word in operation.path.removeprefix("/").split("/"):
        if not _is_parameter(word):
            node = node.literals.setdefault(word, _RouteNode())
            continue
        if node.parameter is None:
            node.parameter = _RouteNode()
        node = node.parameter
    node.operations[operation.method] = operation


def _walk(node: _RouteNode | None, words: list[str]) -> _RouteNode | None:
    if node is None:
        return None
    if not words:
        return node if node.operations else None
    word, *rest = words
    route = _walk(node.literals.get(word), rest)
    if route is None and word:
        route = _walk(node.parameter, rest)
    return route


def _values(operation: Operation, words: list[str]) -> Mapping[str, str]:
    pattern = operation.path.removeprefix("/").split("/")
    pairs = zip(pattern, words, strict=True)
    return {name[1:-1]: unquote(value) for name, value in pairs if _is_parameter(name)}


def _is_parameter(word: str) -> bool:
    return word.startswith("{")
