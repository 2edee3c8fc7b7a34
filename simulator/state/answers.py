"""Pure: all answers from the state, by operation."""

from collections.abc import Mapping

from simulator.rest.answers import Answer
from simulator.state.engagements import engagement_answers
from simulator.state.entities import entity_answers
from simulator.state.members import member_answers
from simulator.state.records import record_answers
from simulator.state.reports import report_answers
from simulator.state.state import State


def state_answers(state: State) -> Mapping[str, Answer]:
    """Return the answers of operations of `zoom.catalogue`, by name.

    Documents fit the schema of the operation's reply. They change with `State.happened` and with
    the operations that write.
    """
    return {
        **entity_answers(state),
        **member_answers(state),
        **engagement_answers(state),
        **record_answers(state),
        **report_answers(state),
    }
