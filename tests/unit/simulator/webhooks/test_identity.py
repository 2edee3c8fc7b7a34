"""The simulator's own computation of event ids."""

import hashlib
import json

from simulator.webhooks.identity import event_id, variant_with_other_links

NESTED = {
    "engagement_id": "E1",
    "transcript_url": "https://zoom.example/t",
    "files": [{"file_id": "F1", "download_url": "https://zoom.example/f?x=1"}],
    "message_text": "Grüße 👋",
}


def body(entity: dict[str, object], *, event_ts: int = 5) -> bytes:
    return json.dumps(
        {
            "event": "contact_center.x",
            "event_ts": event_ts,
            "payload": {"account_id": "A", "object": entity},
        }
    ).encode()


def test_the_id_is_the_hash_of_the_canonical_identity() -> None:
    canonical = (
        '["zcc1","A","contact_center.x",5,'
        '{"engagement_id":"E1","files":[{"file_id":"F1"}],"message_text":"Grüße 👋"}]'
    )
    assert event_id(body(NESTED)) == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_order_of_members_and_the_escapes_do_not_matter() -> None:
    shuffled = json.dumps(
        {
            "payload": {"object": dict(reversed(NESTED.items())), "account_id": "A"},
            "event_ts": 5,
            "event": "contact_center.x",
        },
        ensure_ascii=False,
    ).encode()
    assert event_id(shuffled) == event_id(body(NESTED))


def test_another_time_or_value_is_another_event() -> None:
    assert event_id(body(NESTED, event_ts=6)) != event_id(body(NESTED))
    assert event_id(body(NESTED | {"engagement_id": "E2"})) != event_id(body(NESTED))


def test_a_variant_is_the_same_event_with_other_links() -> None:
    variant = variant_with_other_links(body(NESTED))
    assert event_id(variant) == event_id(body(NESTED))
    entity = json.loads(variant)["payload"]["object"]
    assert entity["transcript_url"].startswith("https://zoom.example/t?delivery=")
    assert entity["files"][0]["download_url"].startswith("https://zoom.example/f?x=1&delivery=")


def test_a_body_without_links_has_no_variant() -> None:
    plain = body({"engagement_id": "E1", "users": [{"user_id": "U1"}]})
    assert variant_with_other_links(plain) is plain
