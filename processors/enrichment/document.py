"""Pure: the member ``enrichment`` of an enriched event, and how it gets into the body.

    "enrichment": {
      "status": "complete",        or "partial": a later revision may know more
      "revision": 1,               number of the attempt; each revision has all names known then
      "users": {"<id in the event>": {"user_id": "…", "display_name": "…"}},
      "queues": {"<id in the event>": {"cc_queue_id": "…", "queue_name": "…"}},
      "missing": [{"entity": "user", "id": "…", "reason": "deadline"}],
      "enriched_at": "2026-01-01T00:00:00.000Z"
    }

Ids are written as the event has them; ``user_id`` and ``cc_queue_id`` are the API's present ones,
which differ from those in case, or where the event has only the deprecated id of a queue. What
does not exist (``absent``) is missing too, but leaves the status complete: a retry would not help.
An event without ids is complete. Names of users and queues are the only personal data.

The body is not written again: the member goes in before the last brace, every other byte stays.
Zoom's events have no member of this name; should one come, ours is the last, which is the one that
JSON parsers keep, and Zoom's remains in the raw topic.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

import orjson

from processors.enrichment.references import EntityReference
from zoom.entities import Queue, User


class Missing(StrEnum):
    """Why a name is missing; a public contract."""

    ABSENT = "absent"
    """Zoom knows no such entity."""
    DEADLINE = "deadline"
    """No answer in time."""
    UNAVAILABLE = "unavailable"
    """The API fails, or its budget is spent."""
    FORBIDDEN = "forbidden"
    """The app may not read it."""


_soon: Final = frozenset({Missing.DEADLINE, Missing.UNAVAILABLE})

Answer = User | Queue | Missing
Status = Literal["complete", "partial"]


def status_of(answers: Mapping[EntityReference, Answer]) -> Status:
    """Return whether a later revision could add something."""
    final = (User, Queue)
    known = all(isinstance(a, final) or a is Missing.ABSENT for a in answers.values())
    return "complete" if known else "partial"


def is_retryable(answers: Mapping[EntityReference, Answer]) -> bool:
    """Return whether an answer may arrive soon, without an operator."""
    return any(answer in _soon for answer in answers.values())


def enrichment(
    answers: Mapping[EntityReference, Answer], *, revision: int, enriched_at: str
) -> bytes:
    """Return the value of the member as JSON. ``enriched_at`` is RFC 3339."""
    users: dict[str, dict[str, str]] = {}
    queues: dict[str, dict[str, str]] = {}
    missing: list[dict[str, str]] = []
    for reference, answer in answers.items():
        if isinstance(answer, User):
            user = {"user_id": answer.user_id, "display_name": answer.display_name}
            users[reference.id] = user
        elif isinstance(answer, Queue):
            queue = {"cc_queue_id": answer.cc_queue_id, "queue_name": answer.queue_name}
            queues[reference.id] = queue
        else:
            missing.append({**reference._asdict(), "reason": answer})
    return orjson.dumps(
        {
            "status": status_of(answers),
            "revision": revision,
            "users": users,
            "queues": queues,
            "missing": missing,
            "enriched_at": enriched_at,
        }
    )


def with_member_appended(body: bytes, member: bytes) -> bytes:
    """Return the body, a JSON object with at least one member, with ``enrichment`` added."""
    end = body.rindex(b"}")
    return b'%b,"enrichment":%b%b' % (body[:end], member, body[end:])
