"""The stream of stories: complete, in order, repeatable, and true to the texts of the vendor."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import pytest

from schemas.catalogue import events
from simulator.company import Company
from simulator.stories import StoryEvent, event_stream, stories
from simulator.webhooks.identity import event_id
from tests.support.simulated_account import START, first_events, the_company


@pytest.fixture(scope="module")
def company() -> Company:
    return the_company()


@pytest.fixture(scope="module")
def stream(company: Company) -> Sequence[StoryEvent]:
    return first_events(6000)


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 40), marks=pytest.mark.long)])
def test_every_event_occurs_among_the_first_600(company: Company, seeds: range) -> None:
    for seed in seeds:
        first = event_stream(company, seed=seed, start=START, count=600)
        assert {event.event for event in first} == events.keys()


def test_the_stream_ends_by_count(company: Company) -> None:
    assert len(list(event_stream(company, seed=1, start=START, count=50))) == 50


def test_the_stream_without_count_goes_on(company: Company) -> None:
    endless = event_stream(company, seed=1, start=START, count=None)
    assert len(list(islice(endless, 2000))) == 2000


def test_the_same_seed_tells_the_same_and_another_seed_does_not(
    company: Company, stream: Sequence[StoryEvent]
) -> None:
    assert list(event_stream(company, seed=1, start=START, count=700)) == list(stream[:700])
    assert list(event_stream(company, seed=2, start=START, count=700)) != list(stream[:700])


def test_the_stream_is_in_order_of_time_and_many_stories_are_under_way_at_once(
    stream: Sequence[StoryEvent],
) -> None:
    offsets = [event.offset_ms for event in stream]
    assert offsets == sorted(offsets)
    changes = sum(before.scenario != after.scenario for before, after in pairwise(stream))
    assert changes > len(stream) / 2


def test_event_ts_is_the_start_and_the_offset(stream: Sequence[StoryEvent]) -> None:
    start_ms = round(START.timestamp() * 1000)
    for event in stream:
        assert json.loads(event.body)["event_ts"] == start_ms + event.offset_ms


def test_no_two_events_are_the_same(stream: Sequence[StoryEvent]) -> None:
    assert len({event_id(event.body) for event in stream}) == len(stream)


def test_stories_are_given_whole_and_the_first_round_has_every_event(company: Company) -> None:
    first_round = list(islice(stories(company, seed=1, start=START), 30))
    assert {event.event for story in first_round for event in story} == events.keys()
    for story in first_round:
        assert len({event.scenario for event in story}) == 1
        assert all(before.offset_ms < after.offset_ms for before, after in pairwise(story))


def test_calls_dominate_and_changes_of_the_setup_are_rare(stream: Sequence[StoryEvent]) -> None:
    kinds = Counter(event.scenario.rpartition("-")[0] for event in stream[1000:])
    calls = sum(count for kind, count in kinds.items() if kind.endswith("call"))
    setup = sum(kinds[kind] for kind in ("queue", "team", "business-hours", "closures", "asset"))
    assert calls > len(stream[1000:]) / 2
    assert setup < len(stream[1000:]) / 50


def test_bodies_have_the_size_of_real_ones(stream: Sequence[StoryEvent]) -> None:
    sizes = [len(event.body) for event in stream]
    assert 600 < sum(sizes) / len(sizes) < 1000
    assert max(sizes) < 3000


def test_numbers_addresses_and_links_are_plainly_fictional(stream: Sequence[StoryEvent]) -> None:
    for event in stream:
        for text in _texts(json.loads(event.body)):
            if re.fullmatch(r"\+\d+", text):
                assert re.fullmatch(r"\+1[2-9]\d{2}55501\d{2}", text), text
            elif re.fullmatch(r"\S+@\S+", text):
                assert text.endswith("@example.com"), text
            elif text.startswith("http"):
                assert text.startswith("https://zoom.example/"), text


def test_a_cold_transfer_ends_when_it_is_accepted(stream: Sequence[StoryEvent]) -> None:
    ends = ("engagement_transfer_completed", "engagement_transfer_canceled")
    for event in stream:
        if event.event.removeprefix("contact_center.") in ends:
            entity = json.loads(event.body)["payload"]["object"]
            assert entity.get("transfer_type", "warm") == "warm"
            assert entity["channel"] == "voice"


def test_a_task_names_its_channel_and_has_no_member_for_it(stream: Sequence[StoryEvent]) -> None:
    created = [
        json.loads(event.body)["payload"]["object"]
        for event in stream
        if event.event == "contact_center.task_created"
    ]
    assert not any("channel" in entity for entity in created)
    assert {"voice", "sms"} <= {entity.get("channel_name") for entity in created}


def test_names_beyond_ascii_and_emoji_occur(stream: Sequence[StoryEvent]) -> None:
    raw = b"".join(event.body for event in stream)
    assert "ö".encode() in raw
    assert "👍".encode() in raw
    assert b"\\ud83d" in raw


def test_deprecated_members_occur_next_to_their_successors(
    stream: Sequence[StoryEvent],
) -> None:
    entities = [json.loads(event.body)["payload"]["object"] for event in stream]
    both = [e for e in entities if "queue_id" in e and "cc_queue_id" in e]
    assert 0.05 < len(both) / len(entities) < 0.4
    assert all(entity["queue_id"] != entity["cc_queue_id"] for entity in both)
    assert any("date_time" in entity for entity in entities)


def test_updates_hold_new_values_only(stream: Sequence[StoryEvent]) -> None:
    all_updates = [
        updates
        for event in stream
        if isinstance(updates := json.loads(event.body)["payload"]["object"].get("updates"), dict)
    ]
    assert all_updates
    assert all(0 < len(updates) <= 4 for updates in all_updates)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from _texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts(child)
