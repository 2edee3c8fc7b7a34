import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest.apps.registry import Apps
from ingest.settings import IngestSettings

good = {"apps": {"default": ["first-secret-token"]}, "pseudonym_key": "0123456789abcdef"}


def problem(**changes: object) -> str:
    with pytest.raises(ValidationError) as caught:
        IngestSettings(**{**good, **changes})  # type: ignore[arg-type]  # each case is malformed
    assert "first-secret-token" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZCC_INGEST_APPS", "ZCC_INGEST_APPS_FILE", "ZCC_INGEST_PSEUDONYM_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_apps_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "ZCC_INGEST_APPS", json.dumps({"default": ["n" * 16, "o" * 16], "sales.eu": ["s" * 16]})
    )
    monkeypatch.setenv("ZCC_INGEST_PSEUDONYM_KEY", "0123456789abcdef")
    settings = IngestSettings()
    assert isinstance(settings.apps, Apps)
    assert {app.name: app.secrets for app in settings.apps} == {
        "default": (b"n" * 16, b"o" * 16),
        "sales.eu": (b"s" * 16,),
    }
    assert settings.produce_deadline_s == 2.0
    assert settings.max_body_bytes == 1024 * 1024


def test_without_apps_or_key_it_says_which_is_missing() -> None:
    with pytest.raises(ValidationError) as caught:
        IngestSettings()
    assert [error["loc"] for error in caught.value.errors()] == [("apps",), ("pseudonym_key",)]
    assert "neither it nor ZCC_INGEST_APPS_FILE is set" in str(caught.value)


def test_apps_may_be_left_to_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZCC_INGEST_APPS_FILE", str(tmp_path / "apps.json"))
    monkeypatch.setenv("ZCC_INGEST_PSEUDONYM_KEY", "0123456789abcdef")
    assert IngestSettings().apps == tmp_path / "apps.json"


def test_apps_from_two_places_are_refused() -> None:
    assert "ZCC_INGEST_APPS_FILE is set too" in problem(apps_file="/run/secrets/apps.json")


def test_fewer_hops_than_none_are_refused() -> None:
    assert "forwarded_hops" in problem(forwarded_hops=-1)


@pytest.mark.parametrize(
    "apps",
    [
        "",
        "first-secret-token",
        "[]",
        "{}",
        '{"default": []}',
        '{"default": "first-secret-token"}',
        '{"default": [1]}',
        '{"a/b": ["first-secret-token"]}',
        '{"": ["first-secret-token"]}',
        '{"-": ["first-secret-token"]}',
        {},
        None,
    ],
)
def test_apps_of_another_form_are_refused_with_the_form(apps: object) -> None:
    assert "expected a JSON object of at least one app" in problem(apps=apps)


@pytest.mark.parametrize("secret", ["", " ", "first-secret-token\n", " first-secret-token"])
def test_a_secret_that_is_empty_or_was_pasted_with_blanks_is_refused(secret: str) -> None:
    assert "app 'default' has a secret" in problem(apps={"default": ["g" * 16, secret]})


def test_a_short_pseudonym_key_is_refused() -> None:
    assert "expected 16 bytes or more" in problem(pseudonym_key="0123456789abcde")


@pytest.mark.parametrize("deadline_s", [0, 3, 10])
def test_a_deadline_that_zoom_does_not_wait_for_is_refused(deadline_s: float) -> None:
    assert "produce_deadline_s" in problem(produce_deadline_s=deadline_s)


def test_a_body_timeout_that_would_make_408_a_loss_is_refused() -> None:
    assert "body_timeout_s" in problem(body_timeout_s=2.9)


def test_a_drain_shorter_than_the_longest_request_is_refused() -> None:
    assert "ZCC_INGEST_DRAIN_TIMEOUT_S must be at least 7" in problem(drain_timeout_s=6)


def test_a_secret_that_can_be_guessed_is_refused_without_being_shown() -> None:
    assert IngestSettings(**{**good, "apps": {"default": ["s" * 16]}})  # type: ignore[arg-type]  # as above
    text = problem(apps={"default": ["first-secret-to"]})
    assert "app 'default' has a secret of fewer than 16 characters" in text


def test_connections_outlive_those_of_the_usual_proxies() -> None:
    assert IngestSettings.model_fields["keep_alive_s"].default == 75


def test_secrets_are_not_in_its_text() -> None:
    settings = IngestSettings(**good)  # type: ignore[arg-type]  # pydantic makes them secrets
    assert "first-secret-token" not in repr(settings)
    assert "0123456789abcdef" not in repr(settings)
