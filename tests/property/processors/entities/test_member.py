"""Whatever the event and the answers, the member is their JSON, and no byte of the body changes."""

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from processors.entities.fields import EventFields, fields_of, named_kinds
from processors.entities.member import (
    Answer,
    Missing,
    enrichment,
    missing_reasons,
    with_member_appended,
)
from processors.entities.references import Entity, EntityReference

values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
fields = EventFields({kind: tuple(fields_of(kind)) for kind in named_kinds})
former = {Entity.USER: ("user_id", "display_name"), Entity.QUEUE: ("cc_queue_id", "queue_name")}


@st.composite
def found(draw: st.DrawFn) -> tuple[EntityReference, dict[str, object] | Missing]:
    kind = draw(st.sampled_from(named_kinds))
    state = st.dictionaries(st.sampled_from(tuple(fields_of(kind))), values, max_size=4)
    return EntityReference(kind, draw(st.text())), draw(st.sampled_from(Missing) | state)


@given(
    states=st.lists(found(), max_size=6).map(dict),
    revision=st.integers(1, 10**6),
    enriched_at=st.text(),
    outcome=st.none() | st.dictionaries(st.text(), values, max_size=3),
)
def test_the_member_is_the_json_of_what_is_known(
    states: dict[EntityReference, dict[str, object] | Missing],
    revision: int,
    enriched_at: str,
    outcome: dict[str, object] | None,
) -> None:
    answers: dict[EntityReference, Answer] = {
        one: state if isinstance(state, Missing) else fields.fragment(one.entity, state)
        for one, state in states.items()
    }
    expected: dict[str, object] = {
        "status": "partial" if missing_reasons(answers) else "complete",
        "revision": revision,
        "enriched_at": enriched_at,
        "entities": (entities := dict[str, dict[str, object]]()),
        "missing": (missing := list[dict[str, str]]()),
        "users": (users := dict[str, object]()),
        "queues": (queues := dict[str, object]()),
    }
    for (kind, id_), state in states.items():
        if isinstance(state, Missing):
            missing.append({"entity": kind, "id": id_, "reason": state})
            continue
        known = {name: state[name] for name in fields_of(kind) if state.get(name) is not None}
        entities.setdefault(kind.value, {})[id_] = known
        if kind in former:
            texts = {name: state.get(name) for name in former[kind]}
            (users if kind is Entity.USER else queues)[id_] = {
                name: text if isinstance(text, str) else "" for name, text in texts.items()
            }
    if outcome is not None:
        expected["outcome"] = outcome
    member = enrichment(
        answers,
        revision=revision,
        enriched_at=enriched_at,
        outcome=None if outcome is None else orjson.dumps(outcome),
    )
    assert member == orjson.dumps(expected)


@given(
    document=st.dictionaries(st.text(), values, min_size=1, max_size=5),
    indent=st.sampled_from([None, 0, 3]),
    space=st.sampled_from(["", "\n", " \t\r\n"]),
    escape=st.booleans(),
)
def test_a_body_is_kept_byte_for_byte(
    document: dict[str, object], indent: int | None, space: str, *, escape: bool
) -> None:
    member = b'{"revision":1}'
    body = (space + json.dumps(document, indent=indent, ensure_ascii=escape) + space).encode(
        "utf-8", "surrogatepass"
    )
    value = with_member_appended(body, member)
    added = b',"enrichment":' + member
    place = len(value) - len(added) - (len(body) - body.rindex(b"}"))
    assert value[place : place + len(added)] == added
    assert value[:place] + value[place + len(added) :] == body
    assert json.loads(value.decode("utf-8", "surrogatepass"))["enrichment"] == {"revision": 1}
