"""Pure: the engagement, the queue and the flow that a task, a message or a recording belongs to."""

from collections.abc import Iterator
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.projection import Values, VersionedColumns
from sinks.postgres.model.tables import columns_of

engagement_register: Final = VersionedColumns("engagement", columns_of("text", "engagement_id"))
queue_register: Final = VersionedColumns("queue", columns_of("text", "cc_queue_id", "queue_name"))
flow_register: Final = VersionedColumns("flow", columns_of("text", "flow_id", "flow_name"))


def routing_registers(event: ParsedEvent) -> Iterator[tuple[str, Values]]:
    """Yield the values of those that the event names."""
    if event.engagement_id is not None:
        yield engagement_register.name, (event.engagement_id,)
    queue_values = event.queue()
    if queue_values[0]:
        yield queue_register.name, queue_values
    if flow_id := event.text("flow_id"):
        yield flow_register.name, (flow_id, event.text("flow_name"))
