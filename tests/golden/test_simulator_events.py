"""Every event of a stream against its closed schema, and the two computations of identity."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.catalogue import events, json_schema
from schemas.envelope import read_envelope
from schemas.generation import strict
from schemas.identity import event_id as receivers_event_id
from schemas.identity import occurred_at_ms
from simulator.stories import StoryEvent, event_stream
from simulator.webhooks.identity import event_id, variant_with_other_links
from tests.support.simulated_account import START, first_events, the_company

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "zoom" / "events.json"

NEVER_SENT = {
    # The examples fill every member, but a user is named at the level "agent" alone, which is
    # never queued.
    "contact_center.engagement_transfer_queued": {
        ".transfer_to_user_id",
        ".transfer_to_user_display_name",
    },
    # No story lets a program's command meet a reservation that is refused.
    "contact_center.task_reservation_canceled": {".request_id"},
    "contact_center.task_reservation_rejected": {".request_id"},
    "contact_center.task_reservation_timeout": {".request_id"},
    # Only voice calls overflow, and these have no source.
    "contact_center.task_exited_queue": {".channel_source"},
}


@pytest.fixture(scope="module")
def stream() -> Sequence[StoryEvent]:
    return first_events(5000)


@pytest.fixture(scope="module")
def published() -> Sequence[dict[str, object]]:
    if not PUBLISHED.is_file():
        pytest.skip(f"the published examples are not next to the project: {PUBLISHED}")
    loaded = json.loads(PUBLISHED.read_bytes())
    assert isinstance(loaded, list)
    return loaded


def test_every_body_satisfies_its_closed_schema(stream: Sequence[StoryEvent]) -> None:
    checker = Draft202012Validator.FORMAT_CHECKER
    validators = {
        name: Draft202012Validator(strict(json_schema(name)), format_checker=checker)
        for name in events
    }
    for event in stream:
        validators[event.event].validate(json.loads(event.body))


def test_both_computations_of_identity_agree(stream: Sequence[StoryEvent]) -> None:
    for event in stream:
        assert event_id(event.body) == receivers_event_id(read_envelope(event.body))


def test_a_variant_with_other_links_is_the_same_event_to_the_receiver(
    stream: Sequence[StoryEvent],
) -> None:
    variants = [(event, variant_with_other_links(event.body)) for event in stream]
    changed = {event.event for event, variant in variants if variant != event.body}
    assert {
        "contact_center.asset_created",
        "contact_center.asset_updated",
        "contact_center.engagement_consumer_sent_file",
        "contact_center.engagement_user_sent_file",
        "contact_center.engagement_messaging_transcript_completed",
        "contact_center.engagement_email_transcript_completed",
        "contact_center.recording_transcript_completed",
        "contact_center.voicemail_transcript_completed",
    } == changed
    for event, variant in variants:
        assert receivers_event_id(read_envelope(variant)) == event_id(event.body)


def test_the_receiver_finds_the_time_of_occurrence_near_the_time_of_the_event(
    stream: Sequence[StoryEvent],
) -> None:
    for event in stream:
        envelope = read_envelope(event.body)
        assert 0 <= envelope.event_ts_ms - occurred_at_ms(envelope) < 50


def test_the_identities_of_the_published_examples_agree(
    published: Sequence[dict[str, object]],
) -> None:
    for row in published:
        body = json.dumps(row["example"]).encode()
        assert event_id(body) == receivers_event_id(read_envelope(body))


def test_stories_use_every_member_of_the_published_examples(
    published: Sequence[dict[str, object]],
) -> None:
    unused = {
        event: set(_members(json.dumps(row["example"]).encode())) - NEVER_SENT.get(event, set())
        for row in published
        for event in [str(row["event"])]
    }
    for event in chain(first_events(5000), _more_first_rounds(), _rest_of_a_long_stream()):
        unused.get(event.event, set()).difference_update(_members(event.body))
        if not any(unused.values()):  # most are used long before the end
            return
    assert {event: members for event, members in unused.items() if members} == {}


def _more_first_rounds() -> Iterator[StoryEvent]:
    for seed in range(2, 42):
        yield from event_stream(the_company(), seed=seed, start=START, count=500)


def _rest_of_a_long_stream() -> Iterator[StoryEvent]:
    yield from event_stream(the_company(), seed=1, start=START, count=30_000)


def _members(body: bytes) -> Iterator[str]:
    yield from _paths(json.loads(body)["payload"]["object"], "")


def _paths(node: object, above: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield f"{above}.{name}"
            yield from _paths(child, f"{above}.{name}")
    elif isinstance(node, list):
        for child in node:
            yield from _paths(child, f"{above}[]")
