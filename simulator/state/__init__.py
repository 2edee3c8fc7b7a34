"""What the REST API knows because stories happened: events and writes in, documents out.

`State` takes note of every event when it is first due, and of every write. `state_answers` answers
the operations that ask about it, in the words of their schemas. What no story touches is not here.
"""

from simulator.state.answers import state_answers
from simulator.state.state import State, apply_events

__all__ = ["State", "apply_events", "state_answers"]
