"""The body of a revised event."""

import orjson

from processors.outcomes.member import enriched
from schemas.catalogue import example
from schemas.models import read


def test_the_body_stays_as_it_is_and_the_outcome_stands_in_the_enrichment() -> None:
    body = example("contact_center.engagement_ended").rstrip()
    value = enriched(
        body, revision=105, enriched_at="2026-01-15T09:30:15.250Z", outcome=b'{"status":"partial"}'
    )
    assert value.startswith(body[:-1])
    member = orjson.loads(value)["enrichment"]
    assert (member["status"], member["revision"]) == ("complete", 105)
    assert member["outcome"] == {"status": "partial"}
    event, drift = read(value)
    assert drift == ()
    assert event.enrichment is not None
