import hashlib
import hmac
import random

import pytest
from pydantic import SecretStr, ValidationError

from simulator.settings import SimulatorSettings
from simulator.stories import StoryEvent
from simulator.webhooks.endpoint import request_id_of
from simulator.webhooks.retry_schedule import (
    Answer,
    Outcome,
    challenge_interval_s,
    outcome_of,
    retry_delay_s,
)
from simulator.webhooks.sender import Notification, notifications_of
from simulator.webhooks.signing import encrypted_token, signature

with_link = (
    b'{"event":"contact_center.recording_completed","event_ts":1700000000000,"payload":'
    b'{"account_id":"a","object":{"recording_id":"r","download_url":"https://example.com/1"}}}'
)
without_link = (
    b'{"event":"contact_center.user_login","event_ts":1700000000000,"payload":'
    b'{"account_id":"a","object":{"user_id":"u"}}}'
)


def settings_with(**changes: object) -> SimulatorSettings:
    given = {"secret": SecretStr("s3cr3t"), "client_secret": SecretStr("cs"), "reorder": 0.0}
    return SimulatorSettings.model_validate(given | {"duplicates": 0.0} | changes)


def sends(body: bytes, settings: SimulatorSettings) -> list[tuple[float, Notification]]:
    event = StoryEvent(event="contact_center.x", offset_ms=0, body=body, scenario="s-1")
    return notifications_of(event, settings, random.Random(5))


@pytest.mark.parametrize("answer", [200, 204])
def test_200_and_204_are_success_at_every_attempt(answer: Answer) -> None:
    assert {outcome_of(answer, attempts=n) for n in (1, 2, 3, 4)} == {Outcome.ACCEPTED}


@pytest.mark.parametrize("answer", [201, 202, 299, 301, 302, 307, 400, 401, 404, 413, 429, 499])
def test_every_other_status_below_500_loses_the_event_for_good(answer: Answer) -> None:
    assert {outcome_of(answer, attempts=n) for n in (1, 2, 3, 4)} == {Outcome.LOST}


@pytest.mark.parametrize("answer", [500, 502, 503, 599, "timeout", "network_error"])
def test_5xx_and_no_answer_are_tried_three_times_more_and_then_given_up(answer: Answer) -> None:
    assert [outcome_of(answer, attempts=n) for n in (1, 2, 3, 4)] == [
        None,
        None,
        None,
        Outcome.GIVEN_UP,
    ]


def test_retries_come_5_20_and_60_minutes_after_the_attempt_before() -> None:
    assert [retry_delay_s(attempts=n, time_scale=1) for n in (1, 2, 3)] == [300, 1200, 3600]
    assert retry_delay_s(attempts=1, time_scale=600) == 0.5


def test_endpoints_are_validated_every_72_hours() -> None:
    assert challenge_interval_s == 259_200


def test_the_signature_is_the_hmac_of_version_seconds_and_raw_body() -> None:
    expected = hmac.new(b"key", b'v0:1700000000:{"a": "\xf0\x9f\x98\x80"}', hashlib.sha256)
    body = '{"a": "😀"}'.encode()
    assert signature("key", timestamp_s=1_700_000_000, body=body) == "v0=" + expected.hexdigest()


def test_the_encrypted_token_is_the_hmac_of_the_plain_one() -> None:
    expected = hmac.new("schlüssel".encode(), b"plain", hashlib.sha256).hexdigest()
    assert encrypted_token("schlüssel", "plain") == expected


def test_a_request_id_has_zooms_form() -> None:
    assert request_id_of(bytes(range(16))) == "00010203_0405_0607_0809_0a0b0c0d0e0f"


def test_an_event_is_sent_once_and_at_once_by_default() -> None:
    [(delay_s, notification)] = sends(with_link, settings_with())
    assert delay_s == 0
    assert notification.body == with_link
    assert not notification.duplicate


def test_a_duplicate_has_another_request_id_and_other_links_but_the_same_event_id() -> None:
    (_, first), (_, second) = sends(with_link, settings_with(duplicates=1.0))
    assert second.duplicate
    assert second.request_id != first.request_id
    assert second.body != first.body
    assert second.event_id == first.event_id


def test_a_duplicate_of_an_event_without_links_has_the_same_body() -> None:
    (_, first), (_, second) = sends(without_link, settings_with(duplicates=1.0))
    assert second.body == first.body
    assert second.request_id != first.request_id


def test_duplicates_come_at_once_or_minutes_later_in_zooms_time() -> None:
    rng = random.Random(1)
    event = StoryEvent(event="contact_center.x", offset_ms=0, body=without_link, scenario="s-1")
    settings = settings_with(duplicates=1.0, time_scale=60.0)
    delays = [notifications_of(event, settings, rng)[1][0] for _ in range(200)]
    at_once = delays.count(0.0)
    assert 50 < at_once < 150
    assert all(1.0 <= delay_s <= 10.0 for delay_s in delays if delay_s)


def test_a_late_event_comes_up_to_90_seconds_late_in_zooms_time() -> None:
    rng = random.Random(1)
    event = StoryEvent(event="contact_center.x", offset_ms=0, body=without_link, scenario="s-1")
    settings = settings_with(reorder=0.5, time_scale=10.0)
    delays = [notifications_of(event, settings, rng)[0][0] for _ in range(200)]
    assert 50 < delays.count(0.0) < 150
    assert all(0.1 <= delay_s <= 9.0 for delay_s in delays if delay_s)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target_url", "ftp://example.com"),
        ("secret", ""),
        ("rate_per_s", -1),
        ("duplicates", 1.5),
        ("reorder", -0.1),
        ("time_scale", 0),
        ("connections", 0),
        ("rest_port", 70_000),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        settings_with(**{name: value})


def test_rates_of_rest_answers_that_exclude_each_other_are_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="ZCC_SIMULATOR_REST_LIMITED_RATE"):
        settings_with(rest_error_rate=0.6, rest_limited_rate=0.6)
