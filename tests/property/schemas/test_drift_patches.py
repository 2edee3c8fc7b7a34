"""A suggested patch takes in all that was seen, whatever that was."""

from collections.abc import Mapping
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalogue import events, example, json_schema
from schemas.drift import compiled, departures, drift_of
from schemas.drift_report import DriftReport

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from([0.5, "x", "2026-01-01T00:00:00Z"])
)
names = st.sampled_from(["event_ts", "channel", "date_time_ms", "teams", "user_id", "novel", "a.b"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


def merged(schema: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch. Source: RFC 7396, section 2."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(schema) if isinstance(schema, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@st.composite
def changed_body(draw: st.DrawFn, event: str) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(example(event))
    for _ in range(draw(st.integers(1, 4))):
        place: Any = draw(st.sampled_from([body, body["payload"], body["payload"]["object"]]))
        name = draw(st.sampled_from(sorted(place)) | names)
        if place is body["payload"] and name == "object":
            continue
        if place is body and name in ("event", "payload"):
            continue
        if draw(st.booleans()):
            place[name] = draw(values)
        else:
            place.pop(name, None)
    return body


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(events)))
def test_the_patched_schema_has_no_drift_left(data: st.DataObject, event: str) -> None:
    bodies = data.draw(st.lists(changed_body(event), min_size=1, max_size=4))
    report = DriftReport()
    for body in bodies:
        report.note(body, event)
    drifted = [body for body in bodies if drift_of(body, event)]
    assert bool(report.findings()) == bool(drifted)
    patched = compiled(merged(json_schema(event), report.patches().get(event, {})))
    assert [departures(body, patched) for body in bodies] == [[]] * len(bodies)
