"""Settings of ingest, from the environment."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import (
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

default_app: Final = "default"
"""The app that ``/webhooks/zoom`` without a name belongs to."""

_shortest_pseudonym_key: Final = 16
"""Bytes: with less, the few billion phone numbers there are can be tried one by one."""

AppName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Secrets = Annotated[tuple[SecretStr, ...], Field(min_length=1)]

_apps: Final[TypeAdapter[Mapping[str, tuple[SecretStr, ...]]]] = TypeAdapter(
    Annotated[Mapping[AppName, Secrets], Field(min_length=1)]
)


class IngestSettings(BaseSettings):
    """Where webhooks arrive, who may send them, and the bounds of one request."""

    model_config = SettingsConfigDict(
        env_prefix="ZCC_INGEST_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - webhooks come from outside the pod
        description="Address to listen on",
    )
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 = free")
    apps: Annotated[Mapping[str, tuple[SecretStr, ...]], NoDecode] = Field(
        description=(
            "Secret tokens by app, JSON: an app is the last part of its webhook's URL, "
            "``default`` that of the URL without one. The first secret is the newest; keep the "
            "old one beside it until Zoom has stopped signing with it"
        )
    )
    pseudonym_key: SecretStr = Field(
        description="Key under which phone numbers in record keys are hashed, 16 bytes or more"
    )
    produce_deadline_s: float = Field(
        default=2.0,
        gt=0,
        lt=3,
        description="Seconds that the broker has to acknowledge, below the 3 that Zoom waits",
    )
    timestamp_window_s: float = Field(
        default=300.0, gt=0, description="Seconds that a signature may be older or newer than now"
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="Bytes of the largest body that is taken"
    )
    body_timeout_s: float = Field(
        default=5.0,
        ge=3,
        description="Seconds to send a body, not below the 3 after which Zoom gives up by itself",
    )
    keep_alive_s: int = Field(
        default=10, ge=1, description="Seconds that a connection may wait for its next request"
    )
    unready_s: float = Field(
        default=1.0,
        ge=0,
        description="Seconds to go on answering after SIGTERM, while the balancer sees /readyz",
    )
    drain_timeout_s: int = Field(
        default=8, ge=1, description="Seconds that requests have to finish after that"
    )
    docs_enabled: bool = Field(default=False, description="Serve /docs and /openapi.json")

    @field_validator("apps", mode="before")
    @classmethod
    def _read_apps(cls, value: object) -> object:
        """Parse here rather than in pydantic-settings: its own error quotes no rule to follow."""
        try:
            if isinstance(value, str | bytes):
                return _apps.validate_json(value)
            return _apps.validate_python(value)
        except ValidationError:
            raise ValueError(
                "expected a JSON object of at least one app with a list of at least one secret "
                '({"default": ["..."]}); names of letters, digits, dot, dash and underscore'
            ) from None

    @field_validator("apps")
    @classmethod
    def _no_blank_secret(
        cls, apps: Mapping[str, tuple[SecretStr, ...]]
    ) -> Mapping[str, tuple[SecretStr, ...]]:
        for app, secrets in apps.items():
            for secret in secrets:
                text = secret.get_secret_value()
                if not text or text != text.strip():
                    raise ValueError(
                        f"app {app!r} has a secret that is empty or has blanks around it"
                    )
        return apps

    @field_validator("pseudonym_key")
    @classmethod
    def _key_is_long_enough(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value().encode()) < _shortest_pseudonym_key:
            raise ValueError(f"expected at least {_shortest_pseudonym_key} bytes")
        return key

    @model_validator(mode="after")
    def _every_request_can_finish(self) -> "IngestSettings":
        longest_s = self.body_timeout_s + self.produce_deadline_s
        if self.drain_timeout_s < longest_s:
            raise ValueError(
                f"ZCC_INGEST_DRAIN_TIMEOUT_S must be at least {longest_s:g}: "
                "ZCC_INGEST_BODY_TIMEOUT_S and ZCC_INGEST_PRODUCE_DEADLINE_S together"
            )
        return self
