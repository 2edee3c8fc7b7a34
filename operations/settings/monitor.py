"""Settings of `zcc monitor`, from the environment."""

from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from operations.components import by_name
from runtime.settings_fields import HealthSettings

_all: Final = ", ".join(by_name)


class MonitorSettings(HealthSettings):
    """What `zcc monitor` measures, how often, and where it serves its metrics."""

    model_config = SettingsConfigDict(env_prefix="ZCC_MONITOR_", frozen=True, extra="ignore")

    interval_s: float = Field(default=10.0, gt=0, description="Seconds between two measurements")
    workers: tuple[str, ...] = Field(
        default=tuple(by_name),
        min_length=1,
        description="Workers of this deployment, JSON: their groups and dead letters are "
        "measured, and a missing worker raises an alert",
    )

    @field_validator("workers")
    @classmethod
    def _workers_exist(cls, workers: tuple[str, ...]) -> tuple[str, ...]:
        for worker in workers:
            if worker not in by_name:
                raise ValueError(f"{worker} is not a worker; expected some of {_all}")
        return tuple(map(str, workers))
