"""Settings that would leak credentials or contradict each other are refused."""

import pytest
from pydantic import ValidationError

from tests.support.fakes.zoom import secret, zoom_settings


@pytest.mark.parametrize(
    "url",
    [
        "https://api-eu.zoom.us/v2",
        "http://127.0.0.1:8123/v2",
        "http://[::1]:8123/v2",
        "http://localhost:8123/v2",
        "http://simulator:8123/v2",
    ],
)
def test_a_url_by_tls_or_nearby_is_taken(url: str) -> None:
    assert zoom_settings(api_url=url, oauth_url=url).api_url == url


def test_a_slash_at_the_end_makes_no_difference() -> None:
    assert zoom_settings(api_url="https://api.zoom.us/v2/").api_url == "https://api.zoom.us/v2"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.zoom.us/v2",
        "http://10.0.0.1/v2",
        "ftp://localhost/v2",
        "api.zoom.us/v2",
        "https://user:password@api.zoom.us/v2",
        "https://api.zoom.us/v2?x=1",
    ],
)
def test_a_url_that_could_show_credentials_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="expected https"):
        zoom_settings(api_url=url)


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": ""},
        {"client_id": ""},
        {"client_secret": ""},
        {"oauth_url": ""},
        {"share": 0.0},
        {"share": 1.1},
        {"plan": "free"},
    ],
)
def test_a_value_outside_its_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        zoom_settings(**changes)


def test_a_whole_call_shorter_than_its_parts_is_a_contradiction() -> None:
    with pytest.raises(ValidationError, match="ZCC_ZOOM_CALL_TIMEOUT_S"):
        zoom_settings(call_timeout_s=1.0, read_timeout_s=2.0)


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_ZOOM_SHARE", "0.25")
    monkeypatch.setenv("ZCC_ZOOM_CLIENT_ID", "from-outside")
    settings = type(zoom_settings())(account_id="a", client_secret=secret)
    assert (settings.share, settings.client_id) == (0.25, "from-outside")
    assert secret not in repr(settings)
