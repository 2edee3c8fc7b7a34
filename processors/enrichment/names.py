"""Finds what is known of the entities that an event names: in the table, in memory, or at Zoom.

Three tiers, in this order. The reference table answers at once, and alike for all replicas. The
memory of lookups has what the table does not hold yet. Only what neither knows is asked for, and an
event waits for that no longer than `EnrichmentSettings.deadline_s`, from when ingest sent it on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from processors.enrichment.lookup import CachedLookup, DeadlineError
from processors.enrichment.metrics import metrics
from processors.entities.entity_set import Entry, Project
from processors.entities.fields import EventFields
from processors.entities.member import Answer, Missing
from processors.entities.plan import EntityPlan
from processors.entities.references import Entity, EntityReference
from processors.entities.table import ReferenceTable
from runtime.clock import Clock
from runtime.errors import ConfigurationError, TransientError
from schemas.envelope import JsonObject
from schemas.reference_record import ReferenceKey, Snapshot

_from_table, _from_memory, _looked_up = (
    metrics.names.labels(tier) for tier in ("table", "memory", "lookup")
)

_Get = Callable[[ReferenceKey], Awaitable[Snapshot | None]]

Answers = dict[EntityReference, Answer]


class Names:
    """The entities of all accounts, as fragments of the member ``enrichment``."""

    def __init__(
        self,
        table: ReferenceTable,
        lookup: CachedLookup[ReferenceKey, Snapshot],
        fields: EventFields,
        *,
        clock: Clock,
    ) -> None:
        self._table = table
        self._lookup = lookup
        self._clock = clock
        self._plan = EntityPlan(fields.entities)
        self._fragments: Mapping[Entity, Project] = {
            each: partial(fields.fragment, each) for each in fields.entities
        }

    def named(self, event: str, entity: JsonObject) -> tuple[EntityReference, ...]:
        """Return the entities that an event's object names."""
        return self._plan.references(event, entity)

    def known(
        self, account_id: str, named: Sequence[EntityReference]
    ) -> tuple[Answers, list[EntityReference]]:
        """Return the answers that need no wait, and those that are left to `ask` for."""
        answers: Answers = {}
        unknown: list[EntityReference] = []
        remembered_count = 0
        for one in named:
            entity, entity_id = one
            entry = self._table.get(account_id, entity, entity_id)
            if entry is not None:
                answers[one] = self._of_entry(entity, entry)
                continue
            remembered = self._lookup.known(ReferenceKey(account_id, entity, entity_id))
            if remembered is None:
                unknown.append(one)
            else:
                answers[one] = self._of_snapshot(entity, remembered.value)
                remembered_count += 1
        if from_table := len(answers) - remembered_count:
            _from_table.inc(from_table)
        if remembered_count:
            _from_memory.inc(remembered_count)
        if unknown:
            _looked_up.inc(len(unknown))
        return answers, unknown

    async def ask(
        self,
        account_id: str,
        unknown: Sequence[EntityReference],
        *,
        waited_s: float = 0.0,
        deadline_s: float | None = None,
    ) -> Answers:
        """Return an answer for each, within the deadline; ``waited_s`` of it are over.

        ``deadline_s`` replaces that of the settings.
        """
        begun_s = self._clock.monotonic_s()
        get = partial(self._lookup.get, waited_s=waited_s, deadline_s=deadline_s)
        given = await asyncio.gather(*(self._ask(account_id, one, get) for one in unknown))
        metrics.wait.observe(self._clock.monotonic_s() - begun_s)
        return dict(zip(unknown, given, strict=True))

    async def _ask(self, account_id: str, one: EntityReference, get: _Get) -> Answer:
        key = ReferenceKey(account_id, one.entity, one.id)
        try:
            snapshot = await get(key)
        except DeadlineError:
            answer: Answer = Missing.DEADLINE
        except ConfigurationError:
            answer = Missing.FORBIDDEN
        except TransientError:
            answer = Missing.UNAVAILABLE
        else:
            # Meanwhile a webhook or the walk may have told the table something newer.
            entry = self._table.get(account_id, one.entity, one.id)
            if entry is None:
                answer = self._of_snapshot(one.entity, snapshot)
            else:
                answer = self._of_entry(one.entity, entry)
        outcome = answer.value if isinstance(answer, Missing) else "found"
        metrics.lookups.labels(one.entity.value, outcome).inc()
        return answer

    def _of_entry(self, entity: Entity, entry: Entry) -> Answer:
        return entry.fragment(self._fragments[entity]) or Missing.ABSENT

    def _of_snapshot(self, entity: Entity, snapshot: Snapshot | None) -> Answer:
        if snapshot is None or snapshot.state is None:
            return Missing.ABSENT
        return self._fragments[entity](snapshot.state)
