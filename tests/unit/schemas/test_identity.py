"""Identity, time, subject and key of events."""

import re
from typing import Any
from urllib.parse import unquote

import pytest

from schemas.catalogue import engagement_keyed_families, events, families, json_schema
from schemas.envelope import Envelope, envelope_of, parse_json
from schemas.headers import event_headers, family_of, text, timestamp
from schemas.identity import entity_names, event_address, event_id, occurred_at_ms
from schemas.topics import TopicPlan, enriched_topics, raw_topics, topic_specs
from simulator.webhooks.identity import event_id as senders_event_id
from tests.support.each_case import each_case

key = b"pseudonym-key-of-a-test"


def envelope(event: str, event_ts_ms: int = 1_700_000_000_123, /, **members: Any) -> Envelope:
    return Envelope("ACC", f"contact_center.{event}", event_ts_ms, members)


def test_the_id_is_the_documented_hash() -> None:
    computed = event_id(Envelope("A", "contact_center.user_login", 5, {"b": 1, "a": "é"}))
    # sha256 of ["zcc1","A","contact_center.user_login",5,{"a":"é","b":1}] in UTF-8
    assert computed == "643c9c289ea5faa6e8cd9a54b7517045105780d351acb1bc280ddc66e43ffcca"


def test_download_links_do_not_change_the_id_at_any_depth() -> None:
    one = envelope("recording_completed", recording_id="R", files=[{"download_url": "https://a"}])
    two = envelope("recording_completed", recording_id="R", files=[{"download_url": "https://b"}])
    bare = envelope("recording_completed", recording_id="R", files=[{}])
    assert event_id(one) == event_id(two) == event_id(bare)


@pytest.mark.parametrize(
    "other",
    [
        Envelope("B", "contact_center.user_login", 5, {"a": 1}),
        Envelope("A", "contact_center.user_logout", 5, {"a": 1}),
        Envelope("A", "contact_center.user_login", 6, {"a": 1}),
        Envelope("A", "contact_center.user_login", 5, {"a": 2}),
        Envelope("A", "contact_center.user_login", 5, {"a": "1"}),
        Envelope("A", "contact_center.user_login", 5, {"a": 1, "b": None}),
        Envelope("A", "contact_center.user_login", 5, {"a": [1]}),
    ],
)
def test_anything_else_changes_the_id(other: Envelope) -> None:
    assert event_id(other) != event_id(Envelope("A", "contact_center.user_login", 5, {"a": 1}))


def test_members_next_to_the_object_are_part_of_the_id_but_for_links() -> None:
    def id_with(**extra_members: object) -> str:
        return event_id(Envelope("A", "e", 5, {"a": 1}, extra_members))

    # sha256 of ["zcc1","A","e",5,{"a":1},{"old_object":{"b":[1]},"operator":"é"}] in UTF-8
    documented = id_with(operator="é", old_object={"b": [1]})
    assert documented == "acc468b3e94d1a9c9393177cd31620427be105572ed21bed2948cda9c8cd0590"
    assert (
        len({id_with(), id_with(operator="o"), id_with(operator="p"), id_with(old_object={})}) == 4
    )
    assert id_with(operator="o", download_token="t") == id_with(operator="o")
    assert id_with(download_token="t") == id_with() == event_id(Envelope("A", "e", 5, {"a": 1}))
    assert event_id(Envelope("A", "e", 5, {}, {"a": 1})) != id_with()


def test_half_a_pair_and_a_number_beyond_a_double_are_part_of_the_id_as_written() -> None:
    def id_of(odd: str) -> str:
        text = b'{"event":"e","event_ts":5,"payload":{"account_id":"A","object":{"a":%b}}}'
        body = text % odd.encode()
        exact = parse_json(body).exact
        assert exact is not None
        assert senders_event_id(body) == event_id(envelope_of(exact))
        return event_id(envelope_of(exact))

    odd = ('"\\ud83d"', '"\\ud83e"', "1e309", "1e310", '["\\ud83d",1e309]')
    assert len({id_of(each) for each in odd}) == len(odd)
    # sha256 of ["zcc1","A","e",5,{"a":"1e309"}] in UTF-8
    assert id_of("1e309") == "dff1736568c524c7d518a44ceca50b7d85e14f33cd60473b7614e9b4beea8fa2"


@pytest.mark.parametrize(
    ("event", "members", "expected"),
    [
        ("engagement_started", {"engagement_id": "E"}, ("engagement/E", "ACC:E")),
        ("an_event_of_tomorrow", {"engagement_id": "E"}, ("engagement/E", "ACC:E")),
        ("app_deauthorized", {"user_id": "U"}, ("account/ACC", "ACC")),
    ],
)
def test_an_event_without_an_object_belongs_to_what_its_payload_names(
    event: str, members: dict[str, object], expected: tuple[str, str]
) -> None:
    received = Envelope("ACC", f"contact_center.{event}", 5, {}, members)
    assert event_address(received, pseudonym_key=key) == expected


def test_the_object_comes_before_the_members_next_to_it() -> None:
    received = Envelope(
        "ACC",
        "contact_center.engagement_ended",
        5,
        {"engagement_id": "E"},
        {"engagement_id": "F", "date_time_ms": "2026-01-02T03:04:05Z"},
    )
    assert event_address(received, pseudonym_key=key).subject == "engagement/E"
    assert occurred_at_ms(received) == 5
    assert occurred_at_ms(received._replace(object={})) == 1_767_323_045_000


@pytest.mark.parametrize(
    ("date_time_ms", "expected"),
    [
        ("2026-01-02T03:04:05.678Z", 1_767_323_045_678),
        ("2026-01-02T05:04:05.678+02:00", 1_767_323_045_678),
        ("2026-01-02T03:04:05.678", 1_767_323_045_678),
        ("yesterday", 1_700_000_000_123),
        ("1969-12-31T23:59:59.000Z", 1_700_000_000_123),
        ("9999-12-31T23:59:59.999-12:00", 1_700_000_000_123),
        (12345, 1_700_000_000_123),
        (None, 1_700_000_000_123),
    ],
)
def test_time_of_occurrence_is_the_events_own_else_event_ts(
    date_time_ms: object, expected: int
) -> None:
    assert occurred_at_ms(envelope("engagement_started", date_time_ms=date_time_ms)) == expected


def test_a_scheduled_slot_is_not_the_time_of_occurrence() -> None:
    booked = envelope("queue_scheduled_callback_created", start_time="2030-01-01T00:00:00Z")
    assert occurred_at_ms(booked) == booked.event_ts_ms


@pytest.mark.parametrize(
    ("event", "members", "expected"),
    [
        ("engagement_started", {"engagement_id": "E"}, "engagement/E"),
        ("recording_deleted", {"recording_id": "R"}, "recording/R"),
        ("user_deleted", {"users": [{"user_id": "U"}, {"user_id": "V"}]}, "user/U"),
        ("user_deleted", {"users": "none"}, "account/ACC"),
        ("queue_created", {"cc_queue_id": "Q"}, "queue/Q"),
        ("closure_created", {"closure_set_id": "C"}, "closure_set/C"),
        ("sms_status", {"message_id": "M"}, "message/M"),
        ("consumer_messaging_opt_in", {"engagement_id": "E"}, "engagement/E"),
        ("consumer_messaging_opt_in", {}, "account/ACC"),
        ("engagement_started", {"engagement_id": 7}, "account/ACC"),
        ("an_event_of_tomorrow", {"engagement_id": "E"}, "engagement/E"),
        ("an_event_of_tomorrow", {}, "account/ACC"),
    ],
)
def test_subject_and_key_name_the_entity(
    event: str, members: dict[str, Any], expected: str
) -> None:
    received = envelope(event, **members)
    assert event_address(received, pseudonym_key=key).subject == expected
    kind, _, name = expected.partition("/")
    expected_key = "ACC" if kind == "account" else f"ACC:{name}"
    assert event_address(received, pseudonym_key=key).partition_key == expected_key


def test_a_phone_number_never_stands_in_key_or_subject() -> None:
    number = "+18005550100"
    consent = envelope("consumer_messaging_opt_out", sms={"consumer_number": number})
    hashed = event_address(consent, pseudonym_key=key).partition_key
    assert number not in hashed + event_address(consent, pseudonym_key=key).subject
    assert hashed == event_address(consent, pseudonym_key=key).partition_key
    assert hashed != event_address(consent, pseudonym_key=b"another key").partition_key


def test_all_families_and_events_are_there() -> None:
    assert len(events) == 124
    assert len(families) == 15
    assert len(engagement_keyed_families) == 7
    assert {path for event in events.values() for path in event.key} <= set(entity_names)


@each_case("name", events)
def test_every_event_has_a_schema_that_holds_its_key_and_time(name: str) -> None:
    kind, schema = events[name], json_schema(name)
    members: Any = schema["properties"]["payload"]["properties"]["object"]["properties"]  # type: ignore[index] # JSON
    assert schema["title"] == name
    assert {path.split(".")[0].removesuffix("[]") for path in kind.key} <= set(members)
    assert kind.occurred_at is None or kind.occurred_at in members
    assert family_of(name) == kind.family


def test_an_unknown_event_has_its_own_family_and_no_schema() -> None:
    assert family_of("contact_center.tomorrow") == "unknown"
    with pytest.raises(KeyError):
        json_schema("contact_center.tomorrow")


def test_headers_are_those_of_cloudevents() -> None:
    received = envelope("engagement_started", engagement_id="E")
    headers = event_headers(
        received, event_id="i", occurred_at_ms=1_767_323_045_678, subject="s", partition_key="k"
    )
    assert {name: text(headers, name) for name, _ in headers} == {
        "ce_specversion": "1.0",
        "ce_id": "i",
        "ce_source": "urn:zoom:contact-center:ACC",
        "ce_type": "contact_center.engagement_started",
        "ce_time": "2026-01-02T03:04:05.678Z",
        "ce_subject": "s",
        "ce_dataschema": "urn:zcc:schema:contact_center.engagement_started:1",
        "ce_partitionkey": "k",
        "content-type": "application/json",
        "zcc-event-id": "i",
        "zcc-revision": "1",
    }
    assert text(headers, "absent") is None


@pytest.mark.parametrize("account", ["ACC", "a b", "x:y", "100%", "é/?#", "AbC-_1.~=="])
def test_the_account_in_the_source_is_written_as_a_uri_and_read_back(account: str) -> None:
    received = Envelope(account, f"contact_center.{account}", 5, {})
    headers = event_headers(
        received, event_id="i", occurred_at_ms=5, subject="s", partition_key="k"
    )
    for name in ("ce_source", "ce_dataschema"):
        value = text(headers, name) or ""
        assert re.fullmatch(r"urn:([A-Za-z0-9._~!$&'()*+,;=@:-]|%[0-9A-F]{2})+", value)
    source = text(headers, "ce_source") or ""
    assert unquote(source.rpartition(":")[2]) == account


def test_times_are_written_with_three_decimals() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(253_402_300_799_999) == "9999-12-31T23:59:59.999Z"


def test_topics_keyed_by_engagement_share_their_partition_count() -> None:
    plan = TopicPlan("p", 12, 5, 3, 7, 30, 400)
    specs = {spec.name: spec for spec in topic_specs(plan, {"enrichment": ()})}
    assert set(raw_topics(prefix="p")) | set(enriched_topics(prefix="p")) < set(specs)
    for family in engagement_keyed_families:
        assert specs[f"p.{family}.v1"].partitions == 12
        assert specs[f"p.enriched.{family}.v1"].partitions == 12
    assert specs["p.user.v1"].partitions == 5
    assert specs["p.unknown.v1"].partitions == 12
    assert specs["p.reference.v1"].cleanup == "compact"
    assert specs["p.dead-letter.enrichment.v1"].retention_ms == 30 * 86_400_000
    assert specs["p.quarantine.v1"].retention_ms == 30 * 86_400_000
