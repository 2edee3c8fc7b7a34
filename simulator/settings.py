"""Settings of the simulator, from the environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulator.faults import Faults


class SimulatorSettings(BaseSettings):
    """Where to send webhooks and how, and how the REST API behaves."""

    model_config = SettingsConfigDict(env_prefix="ZCC_SIMULATOR_", frozen=True, extra="ignore")

    target_url: str = Field(
        default="http://127.0.0.1:8080/webhooks/zoom",
        pattern=r"^https?://",
        description="Endpoint to which webhooks are sent",
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
    seed: int = Field(
        default=1, ge=0, description="Seed of the company, the stories and all random choices"
    )
    count: int = Field(default=0, ge=0, description="Distinct events to send; 0 = endless")
    rate_per_s: float = Field(default=10.0, ge=0, description="New events per second; 0 = no limit")
    connections: int = Field(default=32, ge=1, description="Concurrent deliveries")
    duplicates: float = Field(
        default=0.01, ge=0, le=1, description="Share of events that are sent twice"
    )
    reorder: float = Field(
        default=0.01, ge=0, le=1, description="Share of events that are sent late"
    )
    time_scale: float = Field(
        default=600.0,
        gt=0,
        description="How much faster Zoom's minutes and hours pass (retries, lateness, validation)",
    )
    answer_limit_s: float = Field(
        default=3.0,
        gt=0,
        description="Seconds without an answer that count as a failure; never scaled",
    )
    endpoint_wait_s: float = Field(
        default=30.0,
        ge=0,
        description="Seconds that the endpoint has to pass validation at the start",
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
    rest_heavy_per_s: int = Field(
        default=10, ge=1, description="HEAVY requests that one second allows"
    )
    rest_light_per_day: int = Field(
        default=0, ge=0, description="LIGHT requests that one UTC day allows; 0 = any number"
    )
    rest_medium_per_day: int = Field(
        default=0, ge=0, description="MEDIUM requests that one UTC day allows; 0 = any number"
    )
    rest_heavy_per_day: int = Field(
        default=30_000, ge=0, description="HEAVY requests that one UTC day allows; 0 = any number"
    )
    rest_scopes: str = Field(
        default="",
        description="Scopes of the tokens, separated by blanks; empty = all granular ones",
    )
    rest_file_size_bytes: int = Field(
        default=100_000, ge=1, le=1 << 30, description="Size of each file behind a download link"
    )
    rest_engagements: int = Field(
        default=2_000, ge=1, description="Engagements that the REST API remembers, the newest ones"
    )
    rest_details_delay_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds from the end of an engagement until the REST API has its details",
    )
    rest_latency_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="Delay of each REST answer in seconds, at the start",
    )
    rest_latency_spread_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="Seconds by which this delay is longer or shorter, all times alike",
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
    rest_faults: str = Field(
        default="",
        description="Faults of REST requests at the start: a JSON object as for POST "
        "/control/faults, or the name of a file with one; its members override the settings of "
        "latency, errors, limits and outage",
    )

    @property
    def first_faults(self) -> Faults:
        """The faults of REST requests until a request changes them."""
        general = {
            "error_rate": self.rest_error_rate,
            "limited_rate": self.rest_limited_rate,
            "latency_s": self.rest_latency_s,
            "latency_spread_s": self.rest_latency_spread_s,
            "outage": self.rest_outage,
        }
        faults = _parse_faults(self.rest_faults)
        return faults.model_copy(
            update={n: v for n, v in general.items() if n not in faults.model_fields_set}
        )

    @model_validator(mode="after")
    def _faults_are_possible(self) -> Self:
        faults = self.first_faults
        if faults.error_rate + faults.limited_rate > 1:
            raise ValueError(
                "ZCC_SIMULATOR_REST_ERROR_RATE and ZCC_SIMULATOR_REST_LIMITED_RATE are shares of "
                "the same requests: together at most 1"
            )
        if faults.latency_spread_s > faults.latency_s:
            raise ValueError(
                "ZCC_SIMULATOR_REST_LATENCY_SPREAD_S is more than ZCC_SIMULATOR_REST_LATENCY_S"
            )
        return self


def _parse_faults(text: str) -> Faults:
    if not text:
        return Faults()
    try:
        document = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        return Faults.model_validate_json(document)
    except OSError as error:
        raise ValueError(
            f"ZCC_SIMULATOR_REST_FAULTS: expected JSON or a file, got {text}: {error.strerror}"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ValueError(f"ZCC_SIMULATOR_REST_FAULTS: {wrong}") from error
