"""Settings of the REST client, from the environment."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.settings_fields import HttpUrl
from zoom.limits import Label, Limit, Plan, plan_limits


def _safe_url(value: str) -> str:
    """Require TLS for credentials, unless they stay on this machine or in this cluster."""
    parts = urlsplit(value)
    if parts.scheme == "http" and not is_near(parts.hostname or ""):
        raise ValueError("expected https; http only for a loopback address or a name without dots")
    return value


def is_near(host: str) -> bool:
    """Return whether plain HTTP is allowed: for a loopback address, or a name without dots."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _host(value: str) -> str:
    if re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value) is None:
        raise ValueError("expected a host in lower case, without scheme, port, path or wildcard")
    return value


Url = Annotated[HttpUrl, AfterValidator(_safe_url)]
Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_split)
]


class ZoomSettings(BaseSettings):
    """How to reach Zoom's REST API as a server-to-server app, and how much of it to use."""

    model_config = SettingsConfigDict(env_prefix="ZCC_ZOOM_", frozen=True, extra="ignore")

    account_id: str = Field(min_length=1, description="Account that the app belongs to")
    client_id: str = Field(min_length=1, description="Client ID of the server-to-server app")
    client_secret: SecretStr = Field(
        min_length=1, description="Client secret of the server-to-server app"
    )
    oauth_url: Url = Field(
        default="https://zoom.us/oauth/token", min_length=1, description="Where tokens are issued"
    )
    api_url: Url = Field(
        default="",
        description="Base of the API, version included; empty = the region that the token names, "
        "else https://api.zoom.us/v2",
    )
    plan: Plan = Field(
        default="pro", description="Contact Center plan of the account; it sets the rate limits"
    )
    share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Part of the account's rate limits that this worker may use, all its replicas "
        "together; all apps of the account share them",
    )
    calls_per_second: Mapping[Label, PositiveInt] = Field(
        default={},
        description="Limits that Zoom has granted in place of the plan's: label to calls per "
        'second of the whole account, as {"HEAVY": 20}',
    )
    calls_per_day: Mapping[Label, PositiveInt] = Field(
        default={}, description='The same for calls per day, as {"HEAVY": 60000}'
    )
    backfill_reserve: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="Part of the daily share that backfill leaves to other calls",
    )
    budget_wait_s: float = Field(
        default=5.0, gt=0, description="Seconds that a call waits for the budget before it fails"
    )
    connect_timeout_s: float = Field(default=2.0, gt=0, description="Seconds to connect")
    read_timeout_s: float = Field(default=5.0, gt=0, description="Seconds between two reads")
    call_timeout_s: float = Field(
        default=8.0, gt=0, description="Seconds for a whole call, a new token included"
    )
    download_hosts: Hosts = Field(
        default=("zoom.us", "zoomgov.com"),
        min_length=1,
        description="Hosts from which recordings and transcripts may be fetched, separated by "
        "commas, each with all its subdomains; a subdomain must not resolve to a private address",
    )
    download_concurrency: int = Field(default=4, ge=1, description="Downloads at the same time")
    download_read_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds between two reads of a download"
    )
    download_largest_bytes: int = Field(
        default=5 * 1024**3, gt=0, description="Largest download; a larger one is refused"
    )

    @property
    def limits(self) -> Mapping[Label, Limit]:
        """The rate limits of the whole account."""
        return {
            label: Limit(
                self.calls_per_second.get(label, limit.per_second),
                self.calls_per_day.get(label, limit.per_day),
            )
            for label, limit in plan_limits[self.plan].items()
        }

    @model_validator(mode="after")
    def _whole_is_not_less_than_a_part(self) -> "ZoomSettings":
        if self.call_timeout_s < max(self.connect_timeout_s, self.read_timeout_s):
            raise ValueError(
                "ZCC_ZOOM_CALL_TIMEOUT_S is less than ZCC_ZOOM_CONNECT_TIMEOUT_S or "
                "ZCC_ZOOM_READ_TIMEOUT_S: raise it, or lower those"
            )
        return self
