"""Settings of the reference entities, from the environment."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.entities.kind import Kind, Ttl
from processors.entities.kinds import kinds
from runtime.settings_fields import comma_separated

_largest_part: Final = 0.3
"""Enrichment takes the other 0.7 of ZCC_ZOOM_SHARE: `processors.enrichment.service`."""


class ReferenceSettings(BaseSettings):
    """Which entities are read, how often, and within which part of the budget."""

    model_config = SettingsConfigDict(env_prefix="ZCC_REFERENCE_", frozen=True, extra="ignore")

    entities: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = Field(
        default=tuple(kinds),
        min_length=1,
        description="Entities that are read and published, separated by commas; all by default",
    )
    announced_ttl_s: float = Field(
        default=6 * 3600.0,
        ge=1,
        description="Seconds after which lists are read again whose changes webhooks announce: "
        "users, teams, business hours, closures, assets",
    )
    silent_ttl_s: float = Field(
        default=3600.0,
        ge=1,
        description="The same for lists whose entities events name and no webhook announces: "
        "queues, flows, dispositions, skills, roles, statuses, inboxes",
    )
    rare_ttl_s: float = Field(default=24 * 3600.0, ge=1, description="The same for all other lists")
    ttl_jitter: float = Field(
        default=0.1, ge=0, le=0.5, description="Part of these times by which each walk may differ"
    )
    forbidden_retry_s: float = Field(
        default=3600.0,
        ge=1,
        description="Seconds after which a list is asked for again that Zoom forbids, for want of "
        "a scope or a feature",
    )
    table_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024 * 1024,
        description="Memory for what the reference topic holds; above it the least used entities "
        "are forgotten, and are published again by each walk",
    )
    budget_part: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Part of ZCC_ZOOM_SHARE that the walk uses; events' own lookups keep 0.7 of it",
    )
    changes_budget_part: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Part of ZCC_ZOOM_SHARE for lookups of what webhooks announce as changed",
    )

    @field_validator("entities")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - set(kinds)):
            raise ValueError(f"unknown entities {unknown}; expected some of {sorted(kinds)}")
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _events_keep_their_part(self) -> "ReferenceSettings":
        if round(self.budget_part + self.changes_budget_part, 6) > _largest_part:
            raise ValueError(
                "ZCC_REFERENCE_BUDGET_PART and ZCC_REFERENCE_CHANGES_BUDGET_PART are more than "
                f"{_largest_part} together: lower them, events' own lookups need the rest"
            )
        return self

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds that are read, by entity."""
        return {name: kinds[name] for name in self.entities}

    def ttl_s(self, kind: Kind) -> float:
        """Return after how many seconds the lists of a kind are read again."""
        by_class = {
            Ttl.ANNOUNCED: self.announced_ttl_s,
            Ttl.SILENT: self.silent_ttl_s,
            Ttl.RARE: self.rare_ttl_s,
        }
        return by_class[kind.ttl]
