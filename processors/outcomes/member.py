"""Pure: the body of the event that ended an engagement, with the outcome among its enrichment."""

import orjson


def enriched(body: bytes, *, revision: int, enriched_at: str, outcome: bytes) -> bytes:
    """Return the body with the member ``enrichment``; see `processors.outcomes.records.Enrich`.

    The event names neither users nor queues, so there are no names to add.
    """
    member = orjson.dumps(
        {
            "status": "complete",
            "revision": revision,
            "users": {},
            "queues": {},
            "missing": [],
            "enriched_at": enriched_at,
            "outcome": orjson.Fragment(outcome),
        }
    )
    end = body.rindex(b"}")
    return b'%b,"enrichment":%b%b' % (body[:end], member, body[end:])
