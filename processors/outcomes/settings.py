"""Settings of outcomes, from the environment."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.outcomes.parts import Part
from runtime.settings_fields import comma_separated
from schemas.generation.data_class import DataClass

OptionalPart = Literal["dataset", "timeline", "notes", "survey", "recordings"]
PersonalClass = Literal["personal", "sensitive"]


class OutcomeSettings(BaseSettings):
    """Which parts of an outcome Zoom is asked for, for how long, and with which budget."""

    model_config = SettingsConfigDict(env_prefix="ZCC_OUTCOMES_", frozen=True, extra="ignore")

    parts: Annotated[tuple[OptionalPart, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=("dataset", "timeline", "notes", "survey", "recordings"),
        description="Parts that are asked for besides the details, separated by commas: dataset "
        "(exact durations and holds, one HEAVY call for many engagements), timeline, notes (only "
        "where the details have none), survey, recordings",
    )
    personal: Annotated[tuple[PersonalClass, ...], NoDecode, BeforeValidator(comma_separated)] = (
        Field(
            default=(),
            description="Classes of personal data that may go in, separated by commas: personal "
            "(names, numbers), sensitive (texts of notes, answers and the timeline)",
        )
    )
    give_up_s: float = Field(
        default=60.0,
        gt=0,
        description="Seconds after the end from which an engagement without details is published "
        "as unavailable",
    )
    budget_part: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Part of ZCC_ZOOM_SHARE that outcomes may use, all replicas together",
    )
    dataset_interval_s: float = Field(
        default=20.0,
        gt=0,
        description="Seconds between two questions about version 2's dataset, each for up to 100 "
        "engagements",
    )
    remembered_bytes: int = Field(
        default=64 * 1024**2,
        ge=1024**2,
        description="Bytes for the progress of engagements; above it the oldest are forgotten and "
        "asked again",
    )
    flows_mib: int = Field(
        default=16,
        ge=1,
        description="Memory of the flows of the reference topic, in MiB; they are named in "
        "revisions of events",
    )

    @property
    def requested(self) -> Collection[Part]:
        """The parts that are asked for."""
        return frozenset({Part.DETAILS, *map(Part, self.parts)})

    @property
    def allowed(self) -> Collection[DataClass]:
        """The classes of data that go in."""
        return frozenset({"none", "pseudonymous", *self.personal})
