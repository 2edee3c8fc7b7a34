"""Whatever the seed and the size of the company: the events of a story agree with each other."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalogue import events
from schemas.envelope import Envelope, read_envelope
from schemas.identity import event_id as receivers_event_id
from schemas.identity import occurred_at_ms
from simulator.company import Company, make_company
from simulator.stories import event_stream, stories
from simulator.webhooks.identity import event_id

companies = st.builds(
    make_company,
    st.integers(0, 2**32),
    users=st.integers(8, 60),
    queues=st.integers(5, 20),
)
starts = st.integers(1_600_000_000, 2_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
seeds = st.integers(0, 2**32)

NAMES_OF = (
    ("user_id", "user_display_name"),
    ("user_id", "display_name"),
    ("cc_queue_id", "queue_name"),
    ("cc_queue_id", "queue_id"),
    ("flow_id", "flow_name"),
    ("flow_id", "flow_number"),
    ("consumer_id", "consumer_display_name"),
    ("consumer_id", "consumer_number"),
    ("transfer_to_user_id", "transfer_to_user_display_name"),
    ("transfer_to_cc_queue_id", "transfer_to_queue_name"),
    ("monitoring_user_id", "monitoring_user_display_name"),
    ("takeover_user_id", "takeover_user_display_name"),
    ("previous_user_id", "previous_user_display_name"),
    ("disposition_id", "disposition_name"),
    ("inbox_id", "inbox_name"),
    ("owner_id", "owner_name"),
    ("participant_user_id", "participant_display_name"),
)
"""An id and what always goes with it."""

ONE_PER_STORY = (
    "engagement_id", "engagement_direction", "consumer_id", "consumer_number", "flow_id",
    "recording_id", "asset_id", "team_id", "business_hour_id", "closure_set_id",
)  # fmt: skip


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
"""Without numbers that have fractions: no event of the vendor's has one."""


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(companies, seeds, starts)
def test_events_of_a_story_agree(company: Company, seed: int, start: datetime) -> None:
    names: dict[tuple[str, str, str], object] = {}
    for story in islice(stories(company, seed=seed, start=start), 60):
        envelopes = [read_envelope(event.body) for event in story]
        _check_times(envelopes)
        _check_ids(envelopes, company)
        for envelope in envelopes:
            for key, value in _named(envelope.object):
                assert names.setdefault(key, value) == value, key


@pytest.mark.thorough
@settings(max_examples=10, deadline=None)
@given(companies, seeds, starts)
def test_no_two_events_of_a_stream_are_the_same_and_times_rise(
    company: Company, seed: int, start: datetime
) -> None:
    stream = list(event_stream(company, seed=seed, start=start, count=2000))
    assert len({event_id(event.body) for event in stream}) == len(stream)
    assert all(before.offset_ms <= after.offset_ms for before, after in pairwise(stream))
    assert {event.event for event in stream[:600]} == events.keys()


@given(st.dictionaries(st.text(), json_values, max_size=6), st.integers(0, 2**41))
def test_both_computations_of_identity_agree_on_any_object(
    entity: dict[str, object], event_ts: int
) -> None:
    payload = {"account_id": "A", "object": entity}
    body = json.dumps({"event": "contact_center.x", "event_ts": event_ts, "payload": payload})
    assert event_id(body.encode()) == receivers_event_id(read_envelope(body.encode()))


def _check_times(envelopes: Sequence[Envelope]) -> None:
    times = [(envelope.event_ts_ms, occurred_at_ms(envelope)) for envelope in envelopes]
    for before, after in pairwise(times):
        assert before[0] < after[0]
        assert before[1] < after[1]
    assert all(0 <= event_ts_ms - occurred_ms < 50 for event_ts_ms, occurred_ms in times)


def _check_ids(envelopes: Sequence[Envelope], company: Company) -> None:
    assert {envelope.account_id for envelope in envelopes} == {company.account_id}
    for member in ONE_PER_STORY:
        assert len({e.object[member] for e in envelopes if member in e.object}) <= 1, member
    upgraded = any("upgrade_completed" in envelope.event for envelope in envelopes)
    channels = {e.object["channel"] for e in envelopes if "channel" in e.object}
    assert len(channels) <= 1 + upgraded
    created = {e.object["user_id"] for e in envelopes if e.event == "contact_center.user_created"}
    users = {user.user_id for user in company.users} | created
    queues = {queue.cc_queue_id for queue in company.queues}
    queues |= {
        str(e.object["cc_queue_id"]) for e in envelopes if e.event == "contact_center.queue_created"
    }
    for envelope in envelopes:
        assert {v for name, v in envelope.object.items() if name == "user_id"} <= users
        assert {v for name, v in envelope.object.items() if name == "cc_queue_id"} <= queues


def _named(node: object) -> Iterator[tuple[tuple[str, str, str], object]]:
    if isinstance(node, dict):
        for id_member, name_member in NAMES_OF:
            if id_member in node and name_member in node:
                yield (id_member, node[id_member], name_member), node[name_member]
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _named(child)
