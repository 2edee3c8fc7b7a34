"""Settings of the spill, from the environment."""

import socket
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError
from runtime.object_store.settings import ObjectStoreSettings, store_url

_zoom_waits_s: Final = 3.0
"""Source: Zoom webhooks, an answer later than this counts as none."""


class SpillSettings(ObjectStoreSettings):
    """Where events are stored that the broker does not accept in time, and how many."""

    model_config = SettingsConfigDict(env_prefix="ZCC_SPILL_")

    # A 204 rests on the spill: it takes only the stores on which its durability is tested.
    url: Annotated[str, store_url("s3", "file", optional=True)] = Field(
        default="", description="s3://bucket/prefix or file:///folder; empty = nothing is spilled"
    )
    deadline_s: float = Field(
        default=0.7,
        gt=0,
        lt=_zoom_waits_s,
        description=(
            "Seconds until an event is durable; together with ``ZCC_INGEST_PRODUCE_DEADLINE_S`` "
            "below the 3 that Zoom waits"
        ),
    )
    max_bytes: int = Field(
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
