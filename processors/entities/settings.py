"""Which entities go into events, and which of their fields; for all that write enriched events."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.entities.fields import EventFields, FieldsError, event_fields, named_kinds
from processors.entities.references import Entity
from runtime.settings_fields import comma_separated
from schemas.generation.data_class import DataClass

Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]


Mode = Literal["off", "reference", "full"]


class EventFieldSettings(BaseSettings):
    """What goes into events: names of entities or outcomes at all, and which fields."""

    model_config = SettingsConfigDict(env_prefix="ZCC_ENRICHMENT_", frozen=True, extra="ignore")

    mode: Mode = Field(
        default="full",
        description="off = events pass unchanged with status skipped, and no credentials are "
        "needed; reference = names of entities; full = outcomes of engagements too",
    )
    entities: Annotated[tuple[Entity, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=named_kinds,
        description="Entities that go into events, separated by commas; all that events name by "
        "default",
    )
    fields: Names = Field(
        default=(),
        description="Fields that go into events, as user.display_name,user.role_name; an entity "
        "that is named here gets exactly these, the others their default fields",
    )
    personal: Annotated[tuple[DataClass, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=(),
        description="Classes of personal data that may go into events besides the display name of "
        "users: personal, sensitive",
    )

    @property
    def event_fields(self) -> EventFields:
        """The fields that go into events."""
        return event_fields(self.entities, fields=self.fields, allowed=self.personal)

    @model_validator(mode="after")
    def _fields_are_possible(self) -> "EventFieldSettings":
        try:
            _ = self.event_fields
        except FieldsError as error:
            raise ValueError(
                f"ZCC_ENRICHMENT_ENTITIES and ZCC_ENRICHMENT_FIELDS: {error}"
            ) from error
        return self
