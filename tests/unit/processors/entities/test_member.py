"""What an enriched event says about the entities that it names."""

import orjson
import pytest

from processors.entities.fields import Fragment
from processors.entities.member import (
    Answer,
    Missing,
    enrichment,
    may_pass,
    missing_reasons,
    skipped,
    with_member_appended,
)
from processors.entities.references import Entity, EntityReference

at = "2026-01-01T00:00:00.000Z"
ann = Fragment(
    b'{"user_id":"Ann-ID","display_name":"Ann","role_name":"Agent"}',
    b'{"user_id":"Ann-ID","display_name":"Ann"}',
)
help_ = Fragment(
    b'{"cc_queue_id":"new","queue_name":"Help","channel":"voice"}',
    b'{"cc_queue_id":"new","queue_name":"Help"}',
)
flow = Fragment(b'{"flow_id":"f","flow_name":"Main"}', b"")


def test_it_lists_what_is_known_and_why_others_are_missing() -> None:
    answers: dict[EntityReference, Answer] = {
        EntityReference(Entity.USER, "ann-id"): ann,
        EntityReference(Entity.QUEUE, "old"): help_,
        EntityReference(Entity.USER, 'x"'): Missing.DEADLINE,
        EntityReference(Entity.FLOW, "f"): flow,
        EntityReference(Entity.USER, "Ann-ID"): ann,
        EntityReference(Entity.TEAM, "x"): Missing.ABSENT,
    }
    both = {"ann-id": orjson.loads(ann.fields), "Ann-ID": orjson.loads(ann.fields)}
    assert orjson.loads(enrichment(answers, revision=2, enriched_at=at)) == {
        "status": "partial",
        "revision": 2,
        "enriched_at": at,
        "entities": {
            "user": both,
            "queue": {"old": orjson.loads(help_.fields)},
            "flow": {"f": orjson.loads(flow.fields)},
        },
        "missing": [
            {"entity": "user", "id": 'x"', "reason": "deadline"},
            {"entity": "team", "id": "x", "reason": "absent"},
        ],
        "users": {key: {"user_id": "Ann-ID", "display_name": "Ann"} for key in both},
        "queues": {"old": {"cc_queue_id": "new", "queue_name": "Help"}},
    }


def test_an_outcome_is_a_member_of_its_own() -> None:
    member = orjson.loads(enrichment({}, revision=2, enriched_at=at, outcome=b'{"talk":1}'))
    assert member["outcome"] == {"talk": 1}
    assert "outcome" not in orjson.loads(enrichment({}, revision=2, enriched_at=at))


def test_a_skipped_event_has_every_member_and_nothing_in_them() -> None:
    assert orjson.loads(skipped(revision=1, enriched_at=at)) == {
        "status": "skipped",
        "revision": 1,
        "enriched_at": at,
        "entities": {},
        "missing": [],
        "users": {},
        "queues": {},
    }


@pytest.mark.parametrize(
    ("answers", "reasons", "retryable"),
    [
        ([], (), False),
        ([ann, help_], (), False),
        ([ann, Missing.ABSENT], (), False),
        ([ann, Missing.DEADLINE], (Missing.DEADLINE,), True),
        ([Missing.UNAVAILABLE], (Missing.UNAVAILABLE,), True),
        ([Missing.FORBIDDEN], (Missing.FORBIDDEN,), False),
        (
            [Missing.FORBIDDEN, Missing.DEADLINE, Missing.FORBIDDEN],
            (Missing.FORBIDDEN, Missing.DEADLINE),
            True,
        ),
    ],
)
def test_it_is_partial_while_somebody_could_still_know_more(
    answers: list[Answer], reasons: tuple[Missing, ...], *, retryable: bool
) -> None:
    given = {EntityReference(Entity.USER, str(n)): answer for n, answer in enumerate(answers)}
    status = "partial" if reasons else "complete"
    assert missing_reasons(given) == reasons
    assert orjson.loads(enrichment(given, revision=1, enriched_at=at))["status"] == status
    assert may_pass.isdisjoint(missing_reasons(given)) != retryable


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"e"}',
        b' {"event" : "e" , "a": {"b":"}"} } \n',
        '{"a":"\N{GRINNING FACE} \\u0000 \\u00e9"}'.encode(),
        b'{"enrichment":"of their own","a":1}',
    ],
)
def test_the_member_goes_in_and_no_other_byte_changes(body: bytes) -> None:
    value = with_member_appended(body, b'{"status":"complete"}')
    assert orjson.loads(value) == orjson.loads(body) | {"enrichment": {"status": "complete"}}
    assert value.replace(b',"enrichment":{"status":"complete"}', b"") == body
