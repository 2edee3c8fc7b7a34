"""The body of a revised event."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from processors.entities.plan import EntityPlan
from processors.entities.references import Entity
from processors.entities.settings import EventFieldSettings
from processors.entities.table import ReferenceTable
from processors.outcomes.member import EnrichedBodies, named
from runtime.values import Delivery
from schemas.catalogue import example
from schemas.envelope import read_envelope
from schemas.models import read
from schemas.reference_record import ReferenceKey, Snapshot

ABOUT = {"status": "partial", "as_of": "2026-01-15T09:30:15.250Z", "missing": []}
BODY = example("contact_center.engagement_ended").rstrip()
FLOW = "example-flow-1"


def table_with(state: Mapping[str, object] | None, *, flow_id: str = FLOW) -> ReferenceTable:
    table = ReferenceTable(10**6, kinds=["flow"])
    one = Snapshot(ReferenceKey("example-account", "flow", flow_id), 1, state)
    table.take(Delivery("r", 0, 0, one.key.encode(), one.value, one.headers, 0))
    while not table.settle():
        pass
    return table


def member_of(table: ReferenceTable, **outcome: Any) -> dict[str, Any]:
    bodies = EnrichedBodies(table, EventFieldSettings().event_fields)
    value = bodies(
        BODY, revision=105, enriched_at="2026-01-15T09:30:15.250Z", outcome=ABOUT | outcome
    )
    assert value.startswith(BODY[:-1])
    event, drift = read(value)
    assert drift == ()
    assert event.enrichment is not None
    member: dict[str, Any] = orjson.loads(value)["enrichment"]
    return member


def test_the_end_of_an_engagement_names_no_other_kinds() -> None:
    ended = read_envelope(BODY)
    references = EntityPlan(Entity).references(ended.event, ended.entity)
    assert {one.entity for one in references} == set(named)


def test_the_outcome_stands_among_the_enrichment() -> None:
    member = member_of(table_with({"flow_id": FLOW}), voicemails=2)
    assert member["revision"] == 105
    assert member["outcome"] == ABOUT | {"voicemails": 2}


def test_names_come_from_the_reference_table() -> None:
    member = member_of(table_with({"flow_id": FLOW, "flow_name": "Main", "channel": "voice"}))
    known = {"flow_id": FLOW, "flow_name": "Main", "channel": "voice"}
    assert member["entities"] == {"flow": {FLOW: known}}
    assert (member["status"], member["missing"]) == ("complete", [])


def test_a_flow_that_the_table_lacks_has_the_name_that_the_outcome_has() -> None:
    flows = [{"flow_id": "another", "flow_name": "X"}, {"flow_id": FLOW, "flow_name": "Main"}]
    member = member_of(table_with({}, flow_id="other"), flows=flows)
    assert member["entities"] == {"flow": {FLOW: {"flow_id": FLOW, "flow_name": "Main"}}}
    assert member["status"] == "complete"


def test_a_deleted_flow_is_absent_whatever_the_outcome_says() -> None:
    member = member_of(table_with(None), flows=[{"flow_id": FLOW, "flow_name": "Main"}])
    assert member["missing"] == [{"entity": "flow", "id": FLOW, "reason": "absent"}]
    assert (member["entities"], member["status"]) == ({}, "complete")


@pytest.mark.parametrize("outcome", [{}, {"flows": []}, {"flows": [{"flow_id": "another"}]}])
def test_a_flow_that_nobody_knows_is_missing_and_nobody_is_called(outcome: dict[str, Any]) -> None:
    member = member_of(table_with({}, flow_id="other"), **outcome)
    assert member["missing"] == [{"entity": "flow", "id": FLOW, "reason": "unavailable"}]
    assert member["status"] == "partial"


def test_fields_that_the_operator_leaves_out_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_ENRICHMENT_FIELDS", "flow.flow_name")
    member = member_of(table_with({"flow_id": FLOW, "flow_name": "Main"}))
    assert member["entities"] == {"flow": {FLOW: {"flow_name": "Main"}}}
    monkeypatch.setenv("ZCC_ENRICHMENT_FIELDS", "")
    monkeypatch.setenv("ZCC_ENRICHMENT_ENTITIES", "user")
    member = member_of(table_with({"flow_id": FLOW, "flow_name": "Main"}))
    assert (member["entities"], member["missing"]) == ({}, [])
