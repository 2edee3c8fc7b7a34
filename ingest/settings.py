"""Settings of ingest, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from ingest.apps.config import apps_form, read_apps
from ingest.apps.registry import Apps
from runtime.settings_fields import HealthSettings, Port, PseudonymKey


class IngestSettings(HealthSettings):
    """Where webhooks arrive, who may send them, and the bounds of one request."""

    model_config = SettingsConfigDict(
        env_prefix="ZCC_INGEST_",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,  # `Apps` is read by a validator
    )

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - webhooks come from outside the pod
        description="Address to listen on",
    )
    port: Port = Field(default=8080, description="Port to listen on; 0 = free")
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Processes that share the port, ideally one per core; over 1 only on Linux",
    )
    apps_file: Path | None = Field(
        default=None,
        description=(
            "File with the JSON of ``ZCC_INGEST_APPS``, set instead of it; read again when it "
            "changes and on SIGHUP"
        ),
    )
    apps: Annotated[Apps | Path, NoDecode] = Field(
        default=None,
        validate_default=True,
        description=(
            "Secret tokens by app, JSON: an app is the last part of its webhook's URL, "
            "``default`` that of the URL without one. The first secret is the newest; keep the "
            "old one after it until Zoom no longer signs with it. Required unless "
            "``ZCC_INGEST_APPS_FILE`` is set; an app may also be an object with accounts, "
            "networks and a required header: docs/how-to/apps-and-secrets.md"
        ),
    )
    forwarded_hops: int = Field(
        default=0,
        ge=0,
        description=(
            "Proxies in front that write into X-Forwarded-For, for apps with networks; 0 = the "
            "address of the connection counts, n = the n-th of the header from the right"
        ),
    )
    pseudonym_key: PseudonymKey = Field(
        description="Key under which phone numbers in record keys are hashed, 16 bytes or more"
    )
    produce_deadline_s: float = Field(
        default=2.0,
        gt=0,
        lt=3,
        description="Seconds that the broker has to acknowledge, below the 3 that Zoom waits",
    )
    timestamp_window_s: float = Field(
        default=300.0,
        gt=0,
        description="Seconds by which the time of a signature may differ from now",
    )
    foreign_account_grace_s: float = Field(
        default=3600.0,
        ge=0,
        le=4800,
        description=(
            "Seconds for which events of an account that its app does not list are answered 503, "
            "as time to correct the list; after that they go to quarantine. Below the 85 minutes "
            "after which Zoom stops retrying"
        ),
    )
    secret_grace_s: float = Field(
        default=600.0,
        ge=0,
        description=(
            "Seconds in which a wrong signature is answered 503 after a secret of its app was "
            "removed from ``ZCC_INGEST_APPS_FILE``; 401 before and after"
        ),
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="Bytes of the largest accepted body"
    )
    body_timeout_s: float = Field(
        default=5.0,
        ge=3,
        description="Seconds to receive a body, not below the 3 that Zoom waits",
    )
    head_timeout_s: float = Field(
        default=5.0, ge=3, description="Seconds to receive the head of a request, as for a body"
    )
    max_headers: int = Field(default=64, ge=16, description="Number of headers of a request")
    max_head_bytes: int = Field(
        default=16 * 1024, ge=4096, description="Bytes of a request's target and headers"
    )
    max_requests: int = Field(
        default=4096,
        ge=1,
        description="Signed requests of a process that wait for the broker; further ones are "
        "answered 503 at once",
    )
    max_unfinished: int = Field(
        default=2048,
        ge=1,
        description=(
            "Partly received requests of a process; beyond that the oldest is answered 503 and its "
            "connection closed"
        ),
    )
    max_connections: int = Field(
        default=12_000,
        ge=1,
        description=(
            "Connections of a process, fewer under a low limit of open files; beyond that idle "
            "ones are closed, the oldest first, then unfinished ones"
        ),
    )
    max_held_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description=(
            "Bytes of bodies in the memory of a process; beyond that the oldest unfinished "
            "requests are answered 503, or the newest if only signed ones are left"
        ),
    )
    remembered_signatures: int = Field(
        default=32_768,
        ge=0,
        description=(
            "Signatures of accepted requests that a process remembers; a repeated one is answered "
            "204 without a second record; 0 = none"
        ),
    )
    traces_started: bool = Field(
        default=False, description="Begin a trace for each event that comes without traceparent"
    )
    keep_alive_s: int = Field(
        default=75,
        ge=1,
        description=(
            "Seconds that a connection may wait for its next request, longer than the proxy in "
            "front keeps it: docs/how-to/deploy.md"
        ),
    )
    unready_s: float = Field(
        default=1.0,
        ge=0,
        description="Seconds of service after SIGTERM, until the balancer has read /readyz",
    )
    drain_timeout_s: int = Field(
        default=8, ge=1, description="Seconds that open requests have after that"
    )
    docs_enabled: bool = Field(default=False, description="Serve /docs and /openapi.json")

    @field_validator("apps", mode="before")
    @classmethod
    def _apps_have_one_source(cls, value: object, info: ValidationInfo) -> Apps | Path:
        """Return the apps, or their file.

        They are parsed here and not by pydantic-settings, whose error names no rule to follow.
        """
        file: Path | None = info.data.get("apps_file")
        if value is None and file is None:
            raise ValueError(f"neither it nor ZCC_INGEST_APPS_FILE is set: {apps_form}")
        if file is None:
            return read_apps(value)
        if value is not None:
            raise ValueError("ZCC_INGEST_APPS_FILE is set too: set only one of the two")
        return file

    @model_validator(mode="after")
    def _every_request_can_finish(self) -> "IngestSettings":
        longest_s = self.body_timeout_s + self.produce_deadline_s
        if self.drain_timeout_s < longest_s:
            raise ValueError(
                f"ZCC_INGEST_DRAIN_TIMEOUT_S must be at least {longest_s:g}: "
                "ZCC_INGEST_BODY_TIMEOUT_S and ZCC_INGEST_PRODUCE_DEADLINE_S together"
            )
        return self
