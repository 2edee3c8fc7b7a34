"""Access to the REST API: tokens and their scopes.

Source: Zoom server-to-server OAuth; an operation takes any one of its scopes.
"""

import base64
import binascii
import hmac
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from simulator.clock import SimulatorClock
from simulator.rest.documents import ApiError
from simulator.settings import SimulatorSettings
from zoom.catalogue import Operation, operations

OauthErrorName = Literal["invalid_client", "invalid_request", "unsupported_grant_type"]

token_code: Final = 124
scope_code: Final = 4711


class OauthError(Exception):
    """A refused token request: ``status`` 400 or 401, ``document`` its body."""

    def __init__(self, status: int, code: int, name: OauthErrorName, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.document = {"error": name, "reason": reason, "code": code}


@dataclass(frozen=True, slots=True)
class _Token:
    end_s: float
    scopes: frozenset[str]


class IssuedTokens:
    """Access tokens of one app; several are valid at a time, each until it expires."""

    def __init__(
        self,
        settings: SimulatorSettings,
        *,
        account_id: str,
        clock: SimulatorClock,
        rng: random.Random,
    ) -> None:
        credentials = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
        self._credentials = credentials.encode()
        self._account_id = account_id
        self._lifetime_s = settings.rest_token_lifetime_s
        self._scopes = frozenset(settings.rest_scopes.split() or _all_scopes())
        self._clock = clock
        self._chance = rng
        self._tokens: dict[str, _Token] = {}

    def grant(
        self, authorization: str, form: Mapping[str, str], *, withheld: Collection[str] = ()
    ) -> dict[str, object]:
        """Answer a token request with a new token, without the withheld scopes.

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
        now_s = self._clock.monotonic_s()
        self._tokens = {name: known for name, known in self._tokens.items() if known.end_s > now_s}
        scopes = self._scopes.difference(withheld)
        self._tokens[token] = _Token(now_s + self._lifetime_s, scopes)
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self._lifetime_s,
            "scope": " ".join(sorted(scopes)),
        }

    def check(
        self,
        authorization: str,
        operation: Operation | None = None,
        *,
        withheld: Collection[str] = (),
    ) -> None:
        """Accept a request, or refuse it; a request outside the operations needs no scope.

        Raises:
            ApiError: no token, an unknown or expired one; 403: it lacks the scope.
        """
        token = self._tokens.get(_bearer(authorization))
        if token is None or self._clock.monotonic_s() >= token.end_s:
            raise token_refusal(operation)
        if operation is None:
            return
        if not (token.scopes - set(withheld)).intersection(operation.scopes.all):
            wanted = ", ".join(operation.scopes.all)
            raise ApiError(403, scope_code, f"the access token has none of the scopes [{wanted}]")

    def forget(self, authorization: str) -> None:
        """Make a token unknown from now on."""
        self._tokens.pop(_bearer(authorization), None)


def token_refusal(operation: Operation | None) -> ApiError:
    """Return the error of an invalid token: a 401, at some operations a 400."""
    errors = operation.errors if operation else {}
    as_400 = token_code in errors.get(400, ()) and token_code not in errors.get(401, ())
    return ApiError(400 if as_400 else 401, token_code, "access token is not valid, or has expired")


def _all_scopes() -> set[str]:
    return {scope for operation in operations().values() for scope in operation.scopes.granular}


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _basic_credentials(authorization: str) -> bytes | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or not encoded:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
