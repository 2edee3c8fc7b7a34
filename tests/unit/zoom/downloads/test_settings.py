"""The hosts from which downloads may come are listed one by one."""

import pytest
from pydantic import ValidationError

from tests.support.fakes.zoom import zoom_settings


def test_hosts_are_named_with_commas_between_them() -> None:
    settings = zoom_settings(download_hosts="zoom.us, store.example,127.0.0.1")
    assert settings.download_hosts == ("zoom.us", "store.example", "127.0.0.1")


def test_without_a_word_they_are_zooms_own() -> None:
    assert zoom_settings().download_hosts == ("zoom.us", "zoomgov.com")


def test_the_environment_names_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_ZOOM_DOWNLOAD_HOSTS", "a.example,b.example")
    assert zoom_settings().download_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    "hosts",
    ["", "zoom.us,", "*.zoom.us", ".zoom.us", "https://zoom.us", "zoom.us:443", "a/b", "ZOOM.US"],
)
def test_what_is_no_host_is_refused(hosts: str) -> None:
    with pytest.raises(ValidationError, match="expected a host in lower case"):
        zoom_settings(download_hosts=hosts)


@pytest.mark.parametrize(
    "changes",
    [
        {"download_hosts": ()},
        {"download_concurrency": 0},
        {"download_read_timeout_s": 0},
        {"download_largest_bytes": 0},
    ],
)
def test_a_limit_that_would_allow_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        zoom_settings(**changes)
