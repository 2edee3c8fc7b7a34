"""Settings of enrichment, from the environment."""

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class EnrichmentSettings(BaseSettings):
    """How long an event waits for names, and how long names are cached."""

    model_config = SettingsConfigDict(env_prefix="ZCC_ENRICHMENT_", frozen=True, extra="ignore")

    deadline_s: float = Field(
        default=1.0,
        gt=0,
        description="Seconds that an event waits for lookups; after that it is published with "
        "status partial",
    )
    cache_ttl_s: float = Field(
        default=3600.0, gt=0, description="Seconds after which a cached name is looked up again"
    )
    absent_ttl_s: float = Field(
        default=60.0, gt=0, description="Seconds that an id counts as unknown to Zoom"
    )
    cache_entries: int = Field(
        default=50_000, ge=1, description="Ids kept in memory, of users and queues each"
    )
    lookups_in_flight: int = Field(
        default=100, ge=1, description="Concurrent lookups, of users and queues each"
    )

    @model_validator(mode="after")
    def _absence_is_doubted_first(self) -> "EnrichmentSettings":
        if self.absent_ttl_s > self.cache_ttl_s:
            raise ValueError(
                "ZCC_ENRICHMENT_ABSENT_TTL_S is more than ZCC_ENRICHMENT_CACHE_TTL_S: lower it, "
                "a user who was just created would stay unknown"
            )
        return self
