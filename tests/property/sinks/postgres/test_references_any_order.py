"""Snapshots and events of the same things leave the same rows, whatever order they take."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.values import Delivery
from sinks.postgres.model.rows import read_deliveries
from tests.support.fakes.postgres_tables import FakeTables
from tests.support.projections import event, snapshot

times = st.integers(0, 3)
texts = st.sampled_from(["one", "two"])
states: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "user": st.fixed_dictionaries({}, optional={"display_name": texts, "role_name": texts}),
    "queue": st.fixed_dictionaries({}, optional={"queue_name": texts, "channel": texts}),
    "team": st.fixed_dictionaries({}, optional={"team_name": texts, "parent_team_id": texts}),
    "flow": st.fixed_dictionaries({}, optional={"flow_name": texts}),
    "sms_log": st.fixed_dictionaries({}, optional={"engagement_id": texts}),
}
snapshots = st.sampled_from(sorted(states)).flatmap(
    lambda entity: st.builds(
        lambda state, after_s: snapshot(entity, "X", state, after_s=after_s),
        st.none() | states[entity],
        times,
    )
)
events = st.builds(
    lambda name, member, text, after_s: event(
        name, after_s=after_s, user_id="X", cc_queue_id="X", team_id="X", **{member: text}
    ),
    st.sampled_from(
        ["user_created", "user_login", "queue_created", "queue_deleted", "team_deleted"]
    ),
    st.sampled_from(["display_name", "queue_name", "team_name"]),
    texts,
    times,
)


def stored_from(batches: Sequence[Sequence[Delivery]]) -> Any:
    tables = FakeTables()
    for batch in batches:
        messages, rejections = read_deliveries(batch)
        assert rejections == []
        tables.take(messages)
    return tables.contents()


@given(st.lists(snapshots | events, min_size=1, max_size=8), st.data())
def test_snapshots_and_events_agree_in_any_order(
    drawn: list[Delivery], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(drawn), max_size=3))
    order = data.draw(st.permutations([*drawn, *repeats]))
    cut = data.draw(st.integers(0, len(order)))
    expected = stored_from([drawn])
    assert stored_from([order[:cut], order[cut:]]) == expected
    assert stored_from([[each] for each in order]) == expected
