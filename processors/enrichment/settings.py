"""Settings of enrichment, from the environment."""

from pydantic import Field, model_validator

from processors.entities.settings import EventFieldSettings


class EnrichmentSettings(EventFieldSettings):
    """What is added to events, how long an event waits for it, and how long answers are kept."""

    deadline_s: float = Field(
        default=0.3,
        gt=0,
        description="Seconds that an event waits for lookups; after that it is published with "
        "status partial",
    )
    cache_ttl_s: float = Field(
        default=3600.0,
        gt=0,
        description="Seconds after which a name that is not in the table is looked up again",
    )
    absent_ttl_s: float = Field(
        default=60.0, gt=0, description="Seconds that an id counts as unknown to Zoom"
    )
    cache_entries: int = Field(
        default=10_000, ge=1, description="Answers of lookups kept in memory beside the table"
    )
    table_mib: int = Field(
        default=128,
        ge=1,
        description="Memory of the reference table in MiB; above it the least used entities leave, "
        "and are looked up",
    )
    budget_part: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="Part of ZCC_ZOOM_SHARE for lookups of names, all replicas together. The parts "
        "of all components add up to 1 at most: outcomes take 0.5, the walk 0.2, changes 0.1; "
        "without outcomes 0.7 is good",
    )
    lookups_in_flight: int = Field(default=100, ge=1, description="Concurrent lookups")

    @model_validator(mode="after")
    def _absence_is_doubted_first(self) -> "EnrichmentSettings":
        if self.absent_ttl_s > self.cache_ttl_s:
            raise ValueError(
                "ZCC_ENRICHMENT_ABSENT_TTL_S is more than ZCC_ENRICHMENT_CACHE_TTL_S: lower it, "
                "a user who was just created would stay unknown"
            )
        return self
