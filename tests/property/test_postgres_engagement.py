"""The engagement of a batch is what a plain reading of all its events gives, in any order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sinks.postgres.engagement import bounds, engagement_table, registers
from sinks.postgres.events import Event, read_event
from sinks.postgres.rows import read_events, rows_by_table
from tests.enriched import START_MS, delivery, story, webhook

told = read_events(story())[0]


def plain_reading(events: list[Event]) -> dict[str, Any]:
    """Go through the events from the oldest to the newest, once, and write over what was there."""
    by_revision = sorted(events, key=lambda e: e.revision)
    latest = {event.event_id: event for event in by_revision}
    ordered = sorted(latest.values(), key=lambda e: (e.occurred_at_ms, e.event_ts_ms, e.event_id))
    row: dict[str, Any] = {}
    for register in registers:
        names = [column.name for column in register.columns]
        row |= dict.fromkeys(names)
        for event in ordered if register.takes == "newest" else reversed(ordered):
            values = register.read(event)
            if values is not None:
                row |= zip(names, values, strict=True)
    for bound in bounds:
        times = [e.occurred_at_ms for e in ordered if bound.event in (None, e.name)]
        choose = min if bound.takes == "least" else max
        row[bound.column] = choose(times) if times else None
    return row


def reduced(events: list[Event]) -> dict[str, Any]:
    (row,) = rows_by_table(events)[engagement_table]
    names = [column.name for column in engagement_table.columns]
    return dict(zip(names, row, strict=True))


@given(st.permutations(told), st.data())
def test_a_story_reads_the_same_in_any_order_and_with_repeats(
    events: list[Event], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(told), max_size=5))
    row = reduced([*events, *repeats])
    assert {**row, **plain_reading(told)} == row
    assert row == reduced(told)


members = st.fixed_dictionaries(
    {"engagement_id": st.just("E1")},
    optional={
        name: st.sampled_from(["a", "b"])
        for name in ("channel", "flow_id", "flow_name", "cc_queue_id", "user_id", "consumer_id")
    },
)
names = st.sampled_from(
    ["engagement_started", "engagement_ended", "engagement_user_hold", "task_entered_queue"]
)


@given(st.lists(st.tuples(names, members, st.integers(0, 3)), min_size=1, max_size=8), st.data())
def test_any_events_read_the_same_in_any_order(
    drawn: list[tuple[str, dict[str, str], int]], data: st.DataObject
) -> None:
    events = [
        read_event(delivery(webhook(name, entity, at_ms=START_MS + later)))
        for name, entity, later in drawn
    ]
    row = reduced(data.draw(st.permutations(events)))
    assert {**row, **plain_reading(events)} == row
