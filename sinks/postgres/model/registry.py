"""Pure: the whole model: every table but the raw one, and their readers by event.

Every event, known or not, is read for its engagement; its name selects the other readers.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families import (
    asset,
    call_control,
    conference,
    consent,
    conversation,
    engagement,
    engagement_work,
    inbox,
    logs,
    message_delivery,
    operating_hours,
    outcome,
    participants,
    queue,
    recording,
    reference,
    task,
    team,
    transfer,
    user,
)
from sinks.postgres.model.outcomes import ParsedOutcome
from sinks.postgres.model.projection import ColumnUpdate, Projection, Reader
from sinks.postgres.model.references import ParsedReference

_families: Final = (
    engagement_work,
    transfer,
    conference,
    conversation,
    message_delivery,
    consent,
    call_control,
    task,
    recording,
    inbox,
    user,
    queue,
    team,
    operating_hours,
    asset,
)

projections: Final[tuple[Projection, ...]] = tuple(
    projection
    for module in (engagement, participants, *_families, reference, logs, outcome)
    for projection in module.projections
)
"""In the order in which a batch is written."""

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    name: reads for family in _families for name, reads in family.readers.items()
}
"""By the full name of the event; each name belongs to one family."""


Message = ParsedEvent | ParsedReference | ParsedOutcome
"""The content of one record."""


def column_updates(message: Message) -> Iterable[ColumnUpdate]:
    """Return all updates of an event, or of a snapshot of an entity or an outcome."""
    if isinstance(message, ParsedReference):
        return reference.reference_mentions(message)
    if isinstance(message, ParsedOutcome):
        return outcome.outcome_mentions(message)
    of_engagement = engagement.read_engagement(message)
    reads = readers.get(message.name)
    if reads is None:
        return of_engagement
    return (*of_engagement, *(update for read in reads for update in read(message)))
