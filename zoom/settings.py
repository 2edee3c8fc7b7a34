"""Settings of the REST client, from the environment."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _safe_url(value: str) -> str:
    """Let credentials travel by TLS, or not leave this machine or this cluster."""
    if not value:
        return value
    parts = urlsplit(value)
    host = parts.hostname or ""
    if not host or parts.username or parts.query or parts.fragment:
        raise ValueError("expected https://host[:port]/path without user, query or fragment")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_near(host)):
        return value.rstrip("/")
    raise ValueError("expected https; http only for a loopback address or a name without dots")


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


Url = Annotated[str, AfterValidator(_safe_url)]


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
    plan: Literal["pro", "business_plus"] = Field(
        default="pro", description="Contact Center plan of the account; it sets the rate limits"
    )
    share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Part of the account's rate limits that this process may use; all apps of the "
        "account share them, and so do replicas",
    )
    budget_wait_s: float = Field(
        default=5.0, gt=0, description="Seconds that a call waits for its turn before it fails"
    )
    connect_timeout_s: float = Field(default=2.0, gt=0, description="Seconds to connect")
    read_timeout_s: float = Field(default=5.0, gt=0, description="Seconds between two reads")
    call_timeout_s: float = Field(
        default=8.0, gt=0, description="Seconds for a whole call, a new token included"
    )

    @model_validator(mode="after")
    def _whole_is_not_less_than_a_part(self) -> "ZoomSettings":
        if self.call_timeout_s < max(self.connect_timeout_s, self.read_timeout_s):
            raise ValueError(
                "ZCC_ZOOM_CALL_TIMEOUT_S is less than ZCC_ZOOM_CONNECT_TIMEOUT_S or "
                "ZCC_ZOOM_READ_TIMEOUT_S: raise it, or lower those"
            )
        return self
