"""What an enriched event says about names."""

import orjson
import pytest

from processors.enrichment.document import (
    Answer,
    Missing,
    enrichment,
    status_of,
    with_member_appended,
)
from processors.enrichment.references import Entity, EntityReference
from zoom.entities import Queue, User

ann = User("Ann-ID", "Ann")
help_ = Queue("new", "old", "Help")


def test_it_lists_whom_is_known_and_why_others_are_missing() -> None:
    answers: dict[EntityReference, Answer] = {
        EntityReference(Entity.USER, "ann-id"): ann,
        EntityReference(Entity.QUEUE, "old"): help_,
        EntityReference(Entity.USER, "x"): Missing.DEADLINE,
        EntityReference(Entity.QUEUE, "x"): Missing.ABSENT,
    }
    member = orjson.loads(enrichment(answers, revision=1, enriched_at="2026-01-01T00:00:00.000Z"))
    assert member == {
        "status": "partial",
        "revision": 1,
        "users": {"ann-id": {"user_id": "Ann-ID", "display_name": "Ann"}},
        "queues": {"old": {"cc_queue_id": "new", "queue_name": "Help"}},
        "missing": [
            {"entity": "user", "id": "x", "reason": "deadline"},
            {"entity": "queue", "id": "x", "reason": "absent"},
        ],
        "enriched_at": "2026-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([], "complete"),
        ([ann, help_], "complete"),
        ([ann, Missing.ABSENT], "complete"),
        ([ann, Missing.DEADLINE], "partial"),
        ([Missing.UNAVAILABLE], "partial"),
        ([Missing.FORBIDDEN], "partial"),
    ],
)
def test_it_is_partial_while_somebody_could_still_know_more(
    answers: list[Answer], status: str
) -> None:
    assert (
        status_of({EntityReference(Entity.USER, str(n)): a for n, a in enumerate(answers)})
        == status
    )


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
