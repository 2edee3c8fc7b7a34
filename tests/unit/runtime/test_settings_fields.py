"""Fields of settings that several packages have."""

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from runtime.settings_fields import HttpUrl, Port, PseudonymKey

http_url: TypeAdapter[str] = TypeAdapter(HttpUrl)
port: TypeAdapter[int] = TypeAdapter(Port)
pseudonym_key: TypeAdapter[SecretStr] = TypeAdapter(PseudonymKey)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", ""),
        ("https://host", "https://host"),
        ("http://host:9000/", "http://host:9000"),
        ("https://[::1]:1/v2/", "https://[::1]:1/v2"),
    ],
)
def test_a_url_loses_the_slash_at_its_end(given: str, url: str) -> None:
    assert http_url.validate_python(given) == url


@pytest.mark.parametrize(
    "url",
    [
        "host",
        "host:9000",
        "//host",
        "ftp://host",
        "http://",
        "http://:9000",
        "http://host:0",
        "http://host:65536",
        "http://host:port",
        "http://[::1",
        "https://user@host",
        "https://host?x=1",
        "https://host#x",
        " https://host",
        "https://host ",
        "https://host/a b",
        "https://ho\nst",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="expected https://host"):
        http_url.validate_python(url)


@pytest.mark.parametrize("number", [-1, 65536])
def test_a_port_that_no_process_can_have_is_refused(number: int) -> None:
    with pytest.raises(ValidationError):
        port.validate_python(number)


def test_a_key_is_as_long_as_its_bytes() -> None:
    assert pseudonym_key.validate_python("é" * 8).get_secret_value() == "é" * 8
    with pytest.raises(ValidationError, match="expected 16 bytes or more"):
        pseudonym_key.validate_python("too-short-a-key")
