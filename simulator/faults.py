"""Pure: the faults of REST requests that `POST /control/faults` accepts."""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zoom.catalogue import operations

Delay = Literal["latency", "hang"]
Refusal = Literal["error", "limited", "daily_limited", "token_expired"]
Corruption = Literal[
    "content_type",
    "cut",
    "empty",
    "error_body",
    "gateway_limited",
    "html",
    "redirect",
    "repeated_page",
    "slow_body",
    "truncated",
]
FaultTarget = Literal["token", "download"]

fault_targets: Final[tuple[FaultTarget, ...]] = ("token", "download")
"""Targets besides the operations, hit only by a fault that names them."""


class RestFault(BaseModel):
    """One fault, for the next ``requests`` to ``operations``.

    Without names it hits every operation; ``token`` and ``download`` only where they are named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Delay | Refusal | Corruption = Field(description="What goes wrong")
    operations: tuple[str, ...] = Field(
        default=(), description="Names of operations, token, download; none: every operation"
    )
    requests: int | None = Field(default=None, ge=1, description="How many; none: until changed")
    rate: float = Field(default=1.0, gt=0, le=1, description="Share of the requests that it hits")
    seconds: float = Field(
        default=1.0, ge=0, le=600, description="How long latency lasts, and a slow body takes"
    )
    status: int | None = Field(
        default=None,
        ge=200,
        le=599,
        description="Status of error (500), html (200), redirect (302)",
    )
    code: int | None = Field(default=None, description="Zoom's code of error; none: the status")
    location: str = Field(
        default="https://elsewhere.example/", description="Where a redirect leads"
    )

    retry_after: str = Field(
        default="", description="Retry-After of gateway_limited; empty: the header is missing"
    )

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        unknown = set(self.operations) - operations().keys() - set(fault_targets)
        if unknown:
            raise ValueError(f"operations: unknown: {', '.join(sorted(unknown))}")
        return self


class Faults(BaseModel):
    """The present faults. Rates are shares of the API's requests; an outage includes OAuth.

    A request waits ``latency_s``, give or take ``latency_spread_s``, all times alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    error_rate: float = Field(default=0.0, ge=0, le=1)
    limited_rate: float = Field(default=0.0, ge=0, le=1)
    latency_s: float = Field(default=0.0, ge=0, le=60)
    latency_spread_s: float = Field(default=0.0, ge=0, le=60)
    outage: bool = False
    withheld_scopes: tuple[str, ...] = ()
    faults: tuple[RestFault, ...] = ()

    @model_validator(mode="after")
    def _one_kind_of_answer(self) -> Self:
        if self.error_rate + self.limited_rate > 1:
            raise ValueError("error_rate and limited_rate: together at most 1")
        return self

    @model_validator(mode="after")
    def _latency_is_not_negative(self) -> Self:
        if self.latency_spread_s > self.latency_s:
            raise ValueError("latency_spread_s: at most latency_s")
        return self
