"""Settings of the spill, from the environment."""

import re
import socket
from typing import Final

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import ConfigurationError

_zoom_waits_s: Final = 3.0
"""Source: Zoom webhooks, an answer later than this counts as none."""


class SpillSettings(BaseSettings):
    """Where events are stored that the broker does not accept in time, and how many."""

    model_config = SettingsConfigDict(env_prefix="ZCC_SPILL_", frozen=True, extra="ignore")

    url: str = Field(
        default="", description="s3://bucket/prefix or file:///folder; empty = nothing is spilled"
    )
    endpoint: str = Field(
        default="", description="URL of an S3-compatible server; empty for the cloud's own"
    )
    region: str = Field(default="us-east-1", description="Region of an S3 bucket")
    access_key_id: str = Field(default="", description="S3 key; empty = the machine's identity")
    secret_access_key: SecretStr = Field(default=SecretStr(""), description="Secret of the S3 key")
    deadline_s: float = Field(
        default=0.7,
        gt=0,
        lt=_zoom_waits_s,
        description=(
            "Seconds until an event is durable; together with ``ZCC_INGEST_PRODUCE_DEADLINE_S`` "
            "below the 3 that Zoom waits"
        ),
    )
    most_bytes: int = Field(
        default=1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes of a process that may wait; beyond that nothing is spilled",
    )
    instance: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,127})?$",
        description="Name by which a process finds its events after a restart; empty = the host's "
        "name",
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        if url and not re.match(r"s3://[^/]|file:///+[^/]", url):
            raise ValueError("expected s3://bucket/prefix, file:///folder or nothing")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> "SpillSettings":
        if bool(self.access_key_id) != bool(self.secret_access_key.get_secret_value()):
            raise ValueError(
                "set both ZCC_SPILL_ACCESS_KEY_ID and ZCC_SPILL_SECRET_ACCESS_KEY, or neither"
            )
        return self

    @property
    def instance_name(self) -> str:
        """The name of this process, unless several share its host."""
        return self.instance or socket.gethostname()

    def require_in_time(self, *, produce_deadline_s: float) -> None:
        """Check that a spilled event can still be answered.

        Raises:
            ConfigurationError: Zoom would no longer wait by then.
        """
        if self.url and produce_deadline_s + self.deadline_s >= _zoom_waits_s:
            raise ConfigurationError(
                f"ZCC_INGEST_PRODUCE_DEADLINE_S ({produce_deadline_s:g}) and ZCC_SPILL_DEADLINE_S "
                f"({self.deadline_s:g}) together must stay below the {_zoom_waits_s:g} seconds "
                "that Zoom waits"
            )
