"""Pure: a schema drafted from seen values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from .drift import is_time
from .generation.data_class import data_class

JsonType = Literal["null", "boolean", "integer", "number", "string", "array", "object"]

_json_types: Final[Mapping[type, JsonType]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class InferredShape:
    """The values of one member. ``types``: how often each type was seen."""

    def __init__(self) -> None:
        self.types: Counter[JsonType] = Counter()
        self._all_times = True
        self._members: dict[str, InferredShape] = {}
        self._items: InferredShape | None = None

    def add(self, value: object) -> None:
        """Add one JSON value."""
        self.types[_json_types[type(value)]] += 1
        if isinstance(value, dict):
            for name, child in value.items():
                self._members.setdefault(name, InferredShape()).add(child)
        elif isinstance(value, list):
            self._items = self._items or InferredShape()
            for item in value:
                self._items.add(item)
        elif isinstance(value, str):
            # Digits alone can be read as a date, but are more likely an id.
            self._all_times = self._all_times and "T" in value and is_time(value)

    def type_names(self) -> Sequence[JsonType]:
        """Return the types in alphabetical order; a number may be an integer too."""
        redundant = {"integer"} if "number" in self.types else set[str]()
        return sorted(each for each in self.types if each not in redundant)

    def schema(self, name: str) -> dict[str, object]:
        """Draft a schema of ours for a member of this name. Seen values promise nothing."""
        types = self.type_names()
        drafted: dict[str, object] = {}
        if types:
            drafted["type"] = types[0] if len(types) == 1 else list(types)
        if "string" in self.types:
            if self._all_times:
                drafted["format"] = "date-time"
            drafted["x-data-class"] = "none" if self._all_times else data_class(name)
        elif not {"array", "object"} >= self.types.keys():
            drafted["x-data-class"] = "none"
        if self._members:
            drafted["properties"] = {
                inner: shape.schema(inner) for inner, shape in self._members.items()
            }
        if self._items is not None:
            drafted["items"] = self._items.schema(name)
        return drafted
