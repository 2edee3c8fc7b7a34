"""Settings of the simulator, from the environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SimulatorSettings(BaseSettings):
    """Where to send webhooks and how, and how the REST API behaves."""

    model_config = SettingsConfigDict(env_prefix="ZCC_SIMULATOR_", frozen=True, extra="ignore")

    target_url: str = Field(
        default="http://127.0.0.1:8080/webhooks/zoom",
        pattern=r"^https?://",
        description="Endpoint that takes the webhooks",
    )
    secret: SecretStr = Field(
        min_length=1, description="The app's secret token, with which webhooks are signed"
    )
    client_id: str = Field(
        default="simulator", min_length=1, description="The app's client id, for webhooks and OAuth"
    )
    client_secret: SecretStr = Field(min_length=1, description="The app's client secret, for OAuth")
    account_id: str = Field(
        default="",
        description="The company's account id, which follows from the seed; empty = not checked",
    )
    seed: int = Field(default=1, ge=0, description="From which company, stories and chance follow")
    count: int = Field(default=0, ge=0, description="Distinct events to send; 0 = endless")
    rate_per_s: float = Field(
        default=10.0, ge=0, description="New events per second; 0 = as fast as they are taken"
    )
    connections: int = Field(default=32, ge=1, description="Deliveries made at once")
    duplicates: float = Field(
        default=0.01, ge=0, le=1, description="Share of events that are told a second time"
    )
    reorder: float = Field(default=0.01, ge=0, le=1, description="Share of events that come late")
    time_scale: float = Field(
        default=600.0,
        gt=0,
        description="How much faster Zoom's minutes and hours pass (retries, lateness, validation)",
    )
    answer_limit_s: float = Field(
        default=3.0, gt=0, description="Seconds until no answer is a failure; never scaled"
    )
    endpoint_wait_s: float = Field(
        default=30.0, ge=0, description="Seconds in which the endpoint must validate at the start"
    )
    ledger_file: Path | None = Field(
        default=None, description="File to which the outcome of every notification is appended"
    )
    rest_host: str = Field(default="127.0.0.1", description="Address of the REST API")
    rest_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the REST API; 0 = any free one"
    )
    rest_token_lifetime_s: int = Field(
        default=3600, ge=1, description="Seconds that an access token is valid"
    )
    rest_light_per_s: int = Field(
        default=40, ge=1, description="LIGHT requests that one second allows"
    )
    rest_medium_per_s: int = Field(
        default=20, ge=1, description="MEDIUM requests that one second allows"
    )
    rest_latency_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="Seconds by which each REST answer is late, at the start",
    )
    rest_error_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of REST requests answered 500, at the start"
    )
    rest_limited_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of REST requests answered 429, at the start"
    )
    rest_outage: bool = Field(
        default=False, description="Whether every REST request is answered 503, at the start"
    )

    @model_validator(mode="after")
    def _one_kind_of_answer(self) -> Self:
        if self.rest_error_rate + self.rest_limited_rate > 1:
            raise ValueError(
                "ZCC_SIMULATOR_REST_ERROR_RATE and ZCC_SIMULATOR_REST_LIMITED_RATE are shares of "
                "the same requests: together at most 1"
            )
        return self
