"""Settings of `zcc monitor`, from the environment."""

from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from operations.components import workers as all_workers
from runtime.settings_fields import HealthSettings

_all: Final = ", ".join(all_workers)


class MonitorSettings(HealthSettings):
    """What `zcc monitor` measures, how often, and where it serves its metrics."""

    model_config = SettingsConfigDict(env_prefix="ZCC_MONITOR_", frozen=True, extra="ignore")

    interval_s: float = Field(default=10.0, gt=0, description="Seconds between two measurements")
    workers: tuple[str, ...] = Field(
        default=tuple(all_workers),
        min_length=1,
        description="Workers that this deployment runs, JSON: their groups and dead letters are "
        "measured; one that is named and does not run raises an alert",
    )

    @field_validator("workers")
    @classmethod
    def _workers_exist(cls, workers: tuple[str, ...]) -> tuple[str, ...]:
        for worker in workers:
            if worker not in all_workers:
                raise ValueError(f"{worker} is no worker; expected some of {_all}")
        return tuple(map(str, workers))
