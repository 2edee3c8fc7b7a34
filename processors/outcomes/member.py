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

_by_kind: Final = {Entity.FLOW: ("flows", "flow_id"), Entity.QUEUE: ("queues", "cc_queue_id")}
"""Where an outcome names entities, and the member that is their id."""


class EnrichedBodies:
    """Implements `processors.outcomes.records.Enrich`."""

    def __init__(self, table: ReferenceTable, fields: EventFields) -> None:
        self._table = table
        self._plan = EntityPlan(fields.entities)
        self._fragments: Mapping[Entity, Project] = {
            each: partial(fields.fragment, each) for each in fields.entities
        }

    def __call__(
        self, body: bytes, *, revision: int, enriched_at: str, outcome: JsonObject
    ) -> bytes:
        """Return the body with the member ``enrichment``."""
        event = read_envelope(body)
        named = self._plan.references(event.event, event.entity)
        answers = {one: self._answer(event.account_id, one, outcome) for one in named}
        member = enrichment(
            answers, revision=revision, enriched_at=enriched_at, outcome=orjson.dumps(outcome)
        )
        return with_member_appended(body, member)

    def _answer(self, account_id: str, one: EntityReference, outcome: JsonObject) -> Answer:
        project = self._fragments[one.entity]
        entry = self._table.get(account_id, one.entity, one.id)
        if entry is not None:
            return entry.fragment(project) or Missing.ABSENT
        state = _state_in(outcome, one)
        return Missing.UNAVAILABLE if state is None else project(state)


def _state_in(outcome: JsonObject, one: EntityReference) -> JsonObject | None:
    """Return what an outcome says of an entity, None where it says nothing."""
    if one.entity not in _by_kind:
        return None
    list_, id_ = _by_kind[one.entity]
    states = outcome.get(list_)
    for state in states if isinstance(states, list) else ():
        if state.get(id_) == one.id:
            return cast("JsonObject", state)
    return None
