"""Settings of enrichment, from the environment."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.entities.fields import EventFields, FieldsError, event_fields, named_kinds
from processors.entities.references import Entity
from schemas.generation.data_class import DataClass


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(filter(None, (part.strip() for part in value.split(","))))
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]

Mode = Literal["off", "reference", "full"]


class EnrichmentSettings(BaseSettings):
    """What is added to events, how long an event waits for it, and how long answers are kept."""

    model_config = SettingsConfigDict(env_prefix="ZCC_ENRICHMENT_", frozen=True, extra="ignore")

    mode: Mode = Field(
        default="full",
        description="off = events pass unchanged with status skipped, and no credentials are "
        "needed; reference = names of entities; full = outcomes of engagements too",
    )
    entities: Annotated[tuple[Entity, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=named_kinds,
        description="Entities that go into events, separated by commas; all that events name by "
        "default",
    )
    fields: Names = Field(
        default=(),
        description="Fields that go into events, as user.display_name,user.role_name; an entity "
        "that is named here gets exactly these, the others their default fields",
    )
    personal: Annotated[tuple[DataClass, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        description="Classes of personal data that may go into events besides the display name of "
        "users: personal, sensitive",
    )
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
    lookups_in_flight: int = Field(default=100, ge=1, description="Concurrent lookups")

    @property
    def event_fields(self) -> EventFields:
        """The fields that go into events."""
        return event_fields(self.entities, fields=self.fields, allowed=self.personal)

    @model_validator(mode="after")
    def _fields_are_possible(self) -> "EnrichmentSettings":
        try:
            _ = self.event_fields
        except FieldsError as error:
            raise ValueError(f"ZCC_ENRICHMENT_FIELDS: {error}") from error
        return self

    @model_validator(mode="after")
    def _absence_is_doubted_first(self) -> "EnrichmentSettings":
        if self.absent_ttl_s > self.cache_ttl_s:
            raise ValueError(
                "ZCC_ENRICHMENT_ABSENT_TTL_S is more than ZCC_ENRICHMENT_CACHE_TTL_S: lower it, "
                "a user who was just created would stay unknown"
            )
        return self
