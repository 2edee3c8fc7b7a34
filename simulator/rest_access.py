"""Who may ask the REST API, how often, and what goes wrong on request.

Source: Zoom server-to-server OAuth; Zoom API rate limits (per account, second and label).
"""

import base64
import binascii
import hmac
import random
from collections import Counter
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.clock import Clock
from simulator.rest_documents import ApiError
from simulator.settings import SimulatorSettings

Label = Literal["LIGHT", "MEDIUM"]

OauthErrorName = Literal["invalid_client", "invalid_request", "unsupported_grant_type"]


class Faults(BaseModel):
    """What goes wrong. Rates are shares of the API's requests; an outage takes OAuth with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error_rate: float = Field(default=0.0, ge=0, le=1)
    limited_rate: float = Field(default=0.0, ge=0, le=1)
    latency_s: float = Field(default=0.0, ge=0, le=60)
    outage: bool = False

    @model_validator(mode="after")
    def _one_kind_of_answer(self) -> Self:
        if self.error_rate + self.limited_rate > 1:
            raise ValueError("error_rate and limited_rate: together at most 1")
        return self


class OauthError(Exception):
    """A token request that is refused: ``status`` 400 or 401, ``document`` its body."""

    def __init__(self, status: int, code: int, name: OauthErrorName, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.document = {"error": name, "reason": reason, "code": code}


class Tokens:
    """Access tokens of one app; several are valid at a time, each until its end."""

    def __init__(
        self,
        settings: SimulatorSettings,
        *,
        account_id: str,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        credentials = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
        self._credentials = credentials.encode()
        self._account_id = account_id
        self._lifetime_s = settings.rest_token_lifetime_s
        self._clock = clock
        self._chance = chance
        self._ends_s: dict[str, float] = {}

    def grant(self, authorization: str, form: Mapping[str, str]) -> dict[str, object]:
        """Answer a token request with a new token.

        Raises:
            OauthError: wrong credentials, grant type or account.
        """
        offered = _basic_credentials(authorization)
        if offered is None:
            raise OauthError(400, 4706, "invalid_request", "client id or secret is missing")
        if not hmac.compare_digest(offered, self._credentials):
            raise OauthError(401, 4702, "invalid_client", "unknown client id or wrong secret")
        if form.get("grant_type") != "account_credentials":
            raise OauthError(400, 4705, "unsupported_grant_type", "grant type is not supported")
        if form.get("account_id") != self._account_id:
            raise OauthError(400, 4700, "invalid_request", "account does not exist")
        token = base64.urlsafe_b64encode(self._chance.randbytes(48)).decode()
        self._ends_s[token] = self._clock.monotonic_s() + self._lifetime_s
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self._lifetime_s,
            "scope": "contact_center:read:user:admin contact_center:read:list_users:admin "
            "contact_center:read:queue:admin contact_center:read:list_queues:admin",
        }

    def check(self, authorization: str) -> None:
        """Let a request pass.

        Raises:
            ApiError: no token, an unknown one, or one that has expired.
        """
        scheme, _, token = authorization.partition(" ")
        end_s = self._ends_s.get(token)
        if scheme.lower() != "bearer" or end_s is None:
            raise ApiError(401, 124, "access token is not valid")
        if self._clock.monotonic_s() >= end_s:
            del self._ends_s[token]
            raise ApiError(401, 124, "access token has expired")


class Limits:
    """Counts requests per label within each second of the wall clock."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self._per_s: Mapping[Label, int] = {
            "LIGHT": settings.rest_light_per_s,
            "MEDIUM": settings.rest_medium_per_s,
        }
        self._clock = clock
        self._second = 0
        self._counts: Counter[Label] = Counter()

    def take(self, label: Label) -> None:
        """Count one request.

        Raises:
            ApiError: 429: the second has had its share.
        """
        second = int(self._clock.now().timestamp())
        if second != self._second:
            self._second, self._counts = second, Counter()
        self._counts[label] += 1
        if self._counts[label] > self._per_s[label]:
            raise self.refusal()

    def refusal(self) -> ApiError:
        """Make a 429 that says when there will be more again."""
        reset = int(self._clock.now().timestamp()) + 1
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        return ApiError(429, 4001, "too many requests in this second", headers)

    def headers(self, label: Label) -> dict[str, str]:
        """Return what an answer says of the limit."""
        limit = self._per_s[label]
        return {
            "X-RateLimit-Category": label.capitalize(),
            "X-RateLimit-Type": "QPS",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self._counts[label])),
        }


def _basic_credentials(authorization: str) -> bytes | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or not encoded:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
