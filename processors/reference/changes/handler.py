"""`runtime.contracts.Handler` of events that announce changes of reference entities.

A changed entity is looked up, and its state published; a deleted one gets a tombstone as of the
event. A deletion that arrives late, after the entity was created again, is older than what the
topic holds, and publishes nothing.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from processors.entities.kinds import kinds
from processors.reference.asking import Asking, app_faults
from processors.reference.changes.announced import Announced, announced, announcing_events
from processors.reference.metrics import metrics
from runtime.values import Delivery, Record
from schemas.envelope import Envelope, UnreadableError, read_envelope
from schemas.headers import ce_type, text
from schemas.identity import occurred_at_ms
from schemas.reference_record import Snapshot
from zoom.entity_ids import is_id
from zoom.errors import ForbiddenError
from zoom.messages import Caller

Expecting = Callable[[datetime], Caller]
"""Returns a caller for entities that exist since a time, so that "not found" is no answer yet."""

log = structlog.get_logger()


class ChangesHandler:
    """Publishes what events say of the entities of one account.

    Deletions are published of all accounts; lookups go to the account of ``asking``. Only
    ``entities`` are published.
    """

    def __init__(
        self, asking: Asking, expecting: Expecting, *, topic: str, entities: Collection[str]
    ) -> None:
        self._entities: Final = frozenset(entities)
        self._asking = asking
        self._expecting = expecting
        self._topic: Final = topic
        self._forbidden: set[str] = set()

    async def __call__(self, delivery: Delivery) -> Sequence[Record]:
        """Return the snapshots and tombstones that follow from an event.

        Raises:
            UnavailableError: Zoom does not answer, or does not know a new entity yet.
            ForbiddenError: Zoom refuses the credentials.
        """
        if delivery.value is None or text(delivery.headers, ce_type) not in announcing_events:
            return ()
        try:
            envelope = read_envelope(delivery.value)
        except UnreadableError:
            return ()  # enrichment reads the same record, and makes a dead letter of it
        named = announced(envelope.event, envelope.entity)
        snapshots = [
            await self._news(each, envelope) for each in named if each.entity in self._entities
        ]
        return [
            Record(self._topic, each.key.encode(), each.value, each.headers)
            for each in snapshots
            if each is not None
        ]

    async def _news(self, named: Announced, envelope: Envelope) -> Snapshot | None:
        account = self._asking.account._replace(id=envelope.account_id)
        kind = kinds[named.entity]
        id_, at_ms = account.own_id(kind, named.id), occurred_at_ms(envelope)
        if named.is_gone:
            snapshot, outcome = account.gone(kind, id_, at_ms), None
        elif envelope.account_id != self._asking.account.id:
            snapshot, outcome = None, "foreign"
        else:
            snapshot, outcome = await self._lookup(named, id_, envelope)
        if snapshot is not None and snapshot.state is None:
            metrics.deleted.labels(kind.entity).inc()
        outcome = outcome or ("same" if snapshot is None else "published")
        metrics.changes.labels(kind.entity, outcome).inc()
        return snapshot

    async def _lookup(
        self, named: Announced, id_: str, envelope: Envelope
    ) -> tuple[Snapshot | None, str | None]:
        if not is_id(id_):
            return None, "same"
        caller = None
        if named.is_new:
            caller = self._expecting(datetime.fromtimestamp(occurred_at_ms(envelope) / 1000, UTC))
        try:
            return await self._asking.lookup(kinds[named.entity], id_, caller=caller), None
        except ForbiddenError as error:
            if error.fault in app_faults:
                raise
            if named.entity not in self._forbidden:
                self._forbidden.add(named.entity)
                log.warning(
                    "Zoom does not let this app read an entity; its changes wait for the walk",
                    entity=named.entity,
                    reason=str(error),
                )
            return None, "forbidden"
