"""Pure: the common departures of many bodies, and a patch that adds them to the contract.

The patch of an event is a JSON Merge Patch (RFC 7396) of its schema. It adds members, types and
values, and drops the promise of a missing member. A person decides whether the contract or the
vendor is wrong.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from .catalogue import events, json_schema
from .drift import Drift, DriftKind, Schema, drift_of
from .inference import InferredShape, JsonType

max_values: Final = 20
"""Unknown values of a field that a finding names, the most frequent first."""

Patch = dict[str, object]


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure of one event. ``bodies``: how many have it; ``types``: how often each was seen.

    ``values`` are the unknown ones of a field with known values, else empty.
    """

    event: str
    kind: DriftKind
    path: str
    bodies: int
    types: Mapping[JsonType, int]
    values: tuple[object, ...]


class _Seen:
    """All departures of one kind at one pointer."""

    def __init__(self, first: Drift) -> None:
        self.drift = first
        self.bodies = 0
        self.shape = InferredShape()
        self.values: Counter[object] = Counter()

    def add(self, drift: Drift) -> None:
        if drift.kind is not DriftKind.MISSING_REQUIRED:
            self.shape.add(drift.value)
        if drift.kind is DriftKind.UNKNOWN_ENUM_VALUE:
            self.values[drift.value] += 1

    def finding(self, event: str) -> Finding:
        values = tuple(value for value, _ in self.values.most_common(max_values))
        kind, path = self.drift.kind, self.drift.path
        return Finding(event, kind, path, self.bodies, dict(self.shape.types), values)


class DriftReport:
    """Collects departures body by body. ``bodies``: how many of each event were noted."""

    def __init__(self) -> None:
        self.bodies: Counter[str] = Counter()
        self._seen: dict[str, dict[tuple[DriftKind, tuple[str, ...]], _Seen]] = {}

    def note(self, body: Mapping[str, object], event: str) -> None:
        """Add one parsed body."""
        self.bodies[event] += 1
        departures = drift_of(body, event)
        if not departures:
            return
        seen = self._seen.setdefault(event, {})
        for drift in departures:
            seen.setdefault((drift.kind, drift.pointer), _Seen(drift)).add(drift)
        for key in {(drift.kind, drift.pointer) for drift in departures}:
            seen[key].bodies += 1

    def findings(self) -> Sequence[Finding]:
        """Return all departures, by event and path."""
        findings = (
            each.finding(event) for event, seen in self._seen.items() for each in seen.values()
        )
        return sorted(findings, key=lambda finding: (finding.event, finding.path, finding.kind))

    def patches(self) -> Mapping[str, Patch]:
        """Return the patch of each event's schema; of an unknown event, a first schema."""
        return {
            event: _patch(event, list(self._seen[event].values())) for event in sorted(self._seen)
        }


def _patch(event: str, seen: Sequence[_Seen]) -> Patch:
    if event not in events:
        (whole,) = seen
        drafted = whole.shape.schema("event")
        cast("Patch", drafted["properties"])["event"] = {"const": event}
        return drafted
    patch: Patch = {}
    for each in seen:
        pointer = each.drift.pointer
        kind = each.drift.kind
        if kind is DriftKind.UNKNOWN_FIELD:
            _below(patch, pointer).update(each.shape.schema(pointer[-1]))
        elif kind is DriftKind.UNKNOWN_ENUM_VALUE:
            known = _keyword_at(event, pointer, "x-known-values")
            _below(patch, pointer)["x-known-values"] = [*known, *sorted(each.values, key=str)]
        elif kind is DriftKind.WRONG_TYPE:
            _below(patch, pointer).update(_widened(event, pointer, each.shape))
        else:
            missing = _missing_siblings(pointer, seen)
            still = [n for n in _keyword_at(event, pointer[:-1], "required") if n not in missing]
            _below(patch, pointer[:-1])["required"] = still or None
    return patch


def _below(patch: Patch, pointer: Sequence[str]) -> Patch:
    """Return the part of a patch at a pointer, created where it is missing."""
    for step in pointer:
        if step == "[]":
            patch = cast("Patch", patch.setdefault("items", {}))
        else:
            members = cast("Patch", patch.setdefault("properties", {}))
            patch = cast("Patch", members.setdefault(step, {}))
    return patch


def _keyword_at(event: str, pointer: Sequence[str], keyword: str) -> Sequence[object]:
    """Return a list in the schema of an event at a pointer."""
    return cast("Sequence[object]", _schema_at(event, pointer)[keyword])


def _schema_at(event: str, pointer: Sequence[str]) -> Schema:
    schema = json_schema(event)
    for step in pointer:
        inner = schema["items"] if step == "[]" else cast("Schema", schema["properties"])[step]
        schema = cast("Schema", inner)
    return schema


def _widened(event: str, pointer: Sequence[str], shape: InferredShape) -> Patch:
    """Return a patch that allows the seen types too; a text that is not a time drops the format."""
    known_type = cast("JsonType", _schema_at(event, pointer)["type"])
    more = [name for name in shape.type_names() if name != known_type]
    widened: Patch = {"type": [known_type, *more]} if more else {}
    if known_type in shape.types:
        widened["format"] = None
    return widened


def _missing_siblings(pointer: Sequence[str], seen: Sequence[_Seen]) -> frozenset[str]:
    return frozenset(
        each.drift.pointer[-1]
        for each in seen
        if each.drift.kind is DriftKind.MISSING_REQUIRED and each.drift.pointer[:-1] == pointer[:-1]
    )
