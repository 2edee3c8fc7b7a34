"""The state behind the REST API: events and writes in, documents out.

`State` applies every event when it is first due, and every write. `state_answers` answers the
operations about them, in their schemas. Entities outside the scenarios are not here.
"""

from simulator.state.answers import state_answers
from simulator.state.state import State, apply_events

__all__ = ["State", "apply_events", "state_answers"]
