"""Settings of the REST client, from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
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

from runtime.errors import ConfigurationError
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


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What a server-to-server app of one account needs for its tokens."""

    account_id: str
    client_id: str
    client_secret: SecretStr


class ZoomSettings(BaseSettings):
    """How to reach Zoom's REST API as a server-to-server app, and how much of it to use.

    They are those of one account, of none, or what several accounts of a file have in common:
    `zoom.accounts_file` then makes settings of each.
    """

    model_config = SettingsConfigDict(
        env_prefix="ZCC_ZOOM_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    account_id: str = Field(
        default="",
        description="Account that the app belongs to; empty with the next two = no calls of the "
        "API, and no names in events",
    )
    client_id: str = Field(default="", description="Client ID of the server-to-server app")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret of the server-to-server app"
    )
    accounts_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = Field(
        default=None,
        description="File with the credentials of several accounts, JSON, set instead of the three "
        "above; read again when it changes: docs/how-to/several-accounts.md",
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
    def credentials(self) -> AppCredentials:
        """The credentials of the one account of these settings.

        Raises:
            ConfigurationError: they have none.
        """
        if not self.account_id:
            raise ConfigurationError(
                "no credentials of Zoom's API: set ZCC_ZOOM_ACCOUNT_ID, ZCC_ZOOM_CLIENT_ID and "
                "ZCC_ZOOM_CLIENT_SECRET"
            )
        return AppCredentials(self.account_id, self.client_id, self.client_secret)

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
    def _credentials_are_complete(self) -> "ZoomSettings":
        given = {
            "ZCC_ZOOM_ACCOUNT_ID": bool(self.account_id),
            "ZCC_ZOOM_CLIENT_ID": bool(self.client_id),
            "ZCC_ZOOM_CLIENT_SECRET": bool(self.client_secret.get_secret_value()),
        }
        missing = [name for name, is_set in given.items() if not is_set]
        if self.accounts_file is not None and len(missing) < len(given):
            raise ValueError(
                f"ZCC_ZOOM_ACCOUNTS_FILE is set, and so is one of {', '.join(given)}: "
                "move that account into the file"
            )
        if 0 < len(missing) < len(given):
            raise ValueError(
                f"{' and '.join(missing)} not set: expected all of {', '.join(given)}, or none"
            )
        return self

    @model_validator(mode="after")
    def _whole_is_not_less_than_a_part(self) -> "ZoomSettings":
        if self.call_timeout_s < max(self.connect_timeout_s, self.read_timeout_s):
            raise ValueError(
                "ZCC_ZOOM_CALL_TIMEOUT_S is less than ZCC_ZOOM_CONNECT_TIMEOUT_S or "
                "ZCC_ZOOM_READ_TIMEOUT_S: raise it, or lower those"
            )
        return self
