"""Pure: the body of the event that ended an engagement, with its outcome among the enrichment.

A revision replaces the enrichment of the one before it, so it has the same names. They come from
the reference topic in memory. Where that does not know a flow, the outcome's own details name it,
so nobody is asked for a name.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, cast

import orjson

from processors.entities.entity_set import Project
from processors.entities.fields import EventFields
from processors.entities.member import Answer, Missing, enrichment, with_member_appended
from processors.entities.plan import EntityPlan
from processors.entities.references import Entity, EntityReference
from processors.entities.table import ReferenceTable
from schemas.envelope import JsonObject, read_envelope

named: Final = (Entity.FLOW,)
"""The kinds that the end of an engagement names; a test compares the plan."""


class EnrichedBodies:
    """Implements `processors.outcomes.records.Enrich`."""

    def __init__(self, table: ReferenceTable, fields: EventFields) -> None:
        kinds = set(named).intersection(fields.entities)
        self._table = table
        self._plan = EntityPlan(kinds)
        self._fragments: Mapping[Entity, Project] = {
            each: partial(fields.fragment, each) for each in kinds
        }

    def __call__(
        self, body: bytes, *, revision: int, enriched_at: str, outcome: JsonObject
    ) -> bytes:
        """Return the body with the member ``enrichment``."""
        event = read_envelope(body)
        references = self._plan.references(event.event, event.entity)
        answers = {one: self._answer(event.account_id, one, outcome) for one in references}
        member = enrichment(
            answers, revision=revision, enriched_at=enriched_at, outcome=orjson.dumps(outcome)
        )
        return with_member_appended(body, member)

    def _answer(self, account_id: str, one: EntityReference, outcome: JsonObject) -> Answer:
        project = self._fragments[one.entity]
        entry = self._table.get(account_id, one.entity, one.id)
        if entry is not None:
            return entry.fragment(project) or Missing.ABSENT
        state = _flow_in(outcome, one.id)
        return Missing.UNAVAILABLE if state is None else project(state)


def _flow_in(outcome: JsonObject, flow_id: str) -> JsonObject | None:
    """Return what an outcome says of a flow, None where it says nothing."""
    flows = outcome.get("flows")
    for flow in flows if isinstance(flows, list) else ():
        if flow.get("flow_id") == flow_id:
            return cast("JsonObject", flow)
    return None
