"""Whatever stands in a personal member, nothing of it reaches a row."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas import catalogue
from sinks.postgres.model.rows import read_deliveries, rows_by_table
from sinks.postgres.model.tables import Personal
from sinks.postgres.privacy.classes import class_of, normal
from sinks.postgres.privacy.pseudonyms import PersonalData, Redaction
from tests.support.enriched_records import delivery

MARK = "≡"  # in no example and no pseudonym

texts = st.text(st.characters(codec="utf-8"), max_size=30).map(lambda text: f"{MARK}{text}")


@given(
    event=st.sampled_from(list(catalogue.events)),
    text=texts,
    treatments=st.lists(st.sampled_from(["pseudonymise", "drop"]), min_size=3, max_size=3),
)
def test_no_value_of_a_treated_class_is_in_any_row(
    event: str, text: str, treatments: list[Redaction]
) -> None:
    body = orjson.loads(catalogue.example(event))
    used: set[Personal] = set()
    body["payload"]["object"] = replaced(body["payload"]["object"], text, used)
    rules = dict(zip(sorted(used), treatments * len(used), strict=False))
    read, _ = read_deliveries([delivery(orjson.dumps(body))])
    rows = rows_by_table(PersonalData(rules, b"key").redacted(read))
    assert MARK not in repr([[*each] for each in rows.values()])
    assert "\\xe2\\x89\\xa1" not in repr([[*each] for each in rows.values()])


def replaced(node: Any, text: str, used: set[Personal], name: str = "") -> Any:
    if isinstance(node, dict):
        return {member: replaced(value, text, used, member) for member, value in node.items()}
    if isinstance(node, list):
        return [replaced(item, text, used, name) for item in node]
    class_ = class_of(name)
    if class_ is None or not isinstance(node, str):
        return node
    used.add(class_)
    return text


@given(st.text(), st.sampled_from(["phone", "email", "user_ref"]))
def test_a_normal_form_is_its_own_normal_form(value: str, class_: Personal) -> None:
    once = normal(class_, value)
    assert normal(class_, once) in {once, once.removeprefix("00"), once.strip(" ").lower()}
