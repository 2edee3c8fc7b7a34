"""Pure: fields of settings that several packages have.

The simulator has its own: it imports nothing of the product's runtime.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

_min_key_bytes: Final = 16
"""A shorter key could be found by trying the few billion phone numbers that exist."""


def _http_url(value: str) -> str:
    if value and not _is_http_url(value):
        raise ValueError(
            "expected https://host[:port]/path, or http, without user, query, fragment or space"
        )
    return value.rstrip("/")


def _is_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # no number between 0 and 65535, or brackets without an address
        return False
    extras = parts.username or parts.query or parts.fragment
    has_space = any(map(str.isspace, value))  # `urlsplit` strips them, clients do not
    return parts.scheme in {"http", "https"} and has_host and not extras and not has_space


def comma_separated(value: object) -> object:
    """Return the parts of a text, without empty ones: for lists in variables (`NoDecode`)."""
    if isinstance(value, str):
        return tuple(filter(None, (part.strip() for part in value.split(","))))
    return value


def _long_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < _min_key_bytes:
        raise ValueError(f"expected {_min_key_bytes} bytes or more")
    return key


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""A URL without a slash at its end, or an empty text."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A port to listen on; 0 takes a free one."""

PseudonymKey = Annotated[SecretStr, AfterValidator(_long_key)]
"""A key under which values of few possibilities are hashed."""


class HealthSettings(BaseSettings):
    """Where the health of a process is served; a subclass has the prefix of the variables."""

    health_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside the pod
        description="Address of /healthz, /readyz, /metrics, which have a port of their own",
    )
    health_port: Port = Field(default=9100, description="Port of the same; 0 = free")
