"""Models of all events, for consumers in Python: one class per event, one module per family.

    event, drift = read(record.value)
    match event:
        case EngagementStarted():
            print(event.payload.object.engagement_id, event.payload.object.date_time_ms)

Nothing that the vendor adds, leaves out or changes makes `read` raise: unknown members and values
are kept, what is missing or of another type is None, and ``drift`` says so. A module of a
family is loaded when one of its events is first asked for.
"""

from .event import Event, EventObject, Payload
from .reading import ContractError, Reading, read
from .registry import model_for

__all__ = [
    "ContractError",
    "Event",
    "EventObject",
    "Payload",
    "Reading",
    "model_for",
    "read",
]
