"""Tokens of a server-to-server app: one request at a time, renewed before they expire.

There is no refresh token: each renewal sends the app's credentials again. Several tokens are valid
at the same time, so calls in flight continue with the old one. A scope that was added to the app
appears in new tokens only, and not at once: a token without a required scope is renewed unless it
is young. Source: Zoom, server-to-server OAuth.
"""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from runtime.clock import Clock
from zoom.catalogue import Operation
from zoom.errors import ForbiddenError, UnavailableError, ZoomFault, error_of
from zoom.http.response_errors import error_in_token_answer, missing_scope
from zoom.messages import Request, Transport
from zoom.settings import ZoomSettings

global_api_url: Final = "https://api.zoom.us/v2"

_renewal_part: Final = 0.1
_longest_renewal_s: Final = 300.0
"""A token is renewed in the last tenth of its life, at most this long before its end."""

_failure_pause_s: Final = 1.0
"""Callers that waited for a failed request share its failure instead of repeating it in turn."""

young_s: Final = 30.0
"""A younger token is not renewed for a missing scope."""

_zoom_domains: Final = ("zoom.us", "zoomgov.com")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. Times are those of the clock's `monotonic_s`.

    ``scopes`` is empty where the token does not name them.
    """

    value: str = field(repr=False)
    api_url: str
    requested_at_s: float
    renew_at_s: float
    expires_at_s: float
    scopes: frozenset[str] = frozenset()

    def allows(self, operation: Operation) -> bool:
        """Return whether it holds a scope of the operation, as far as it says.

        Spaces separate a token's scopes, and one scope of Zoom's contains a space itself.
        """
        return not self.scopes or any(
            self.scopes.issuperset(scope.split()) for scope in operation.scopes.all
        )


def _text_or_nothing(value: object) -> object:
    return "" if value is None else value


_Text = Annotated[str, BeforeValidator(_text_or_nothing)]


@dataclass(frozen=True, slots=True)
class _Grant:
    access_token: Annotated[str, Field(min_length=1, pattern=r"^[\x21-\x7e]+$")] = field(repr=False)
    expires_in: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0
    api_url: _Text = ""
    scope: _Text = ""


_grant: Final = TypeAdapter(_Grant)


class TokenSource:
    """The app's present token."""

    def __init__(self, settings: ZoomSettings, *, transport: Transport, clock: Clock) -> None:
        """Take the credentials of the settings.

        Raises:
            ConfigurationError: they have none.
        """
        self._credentials = settings.credentials
        self._oauth_url = settings.oauth_url
        self._api_url = settings.api_url
        self._transport = transport
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._failure: UnavailableError | ForbiddenError | None = None
        self._failed_at_s = 0.0

    async def token(self) -> Token:
        """Return a valid token. While one caller renews it early, the others continue with it.

        Raises:
            UnavailableError: the token endpoint does not answer as it should.
            ForbiddenError: it refuses the credentials.
        """
        now_s = self._clock.monotonic_s()
        token = self._token
        if token is not None and now_s < token.expires_at_s:
            if now_s < token.renew_at_s or self._lock.locked():
                return token
            try:
                return await self.renew(token)
            except UnavailableError:
                return token
        return await self.renew(token)

    async def token_for(self, operation: Operation) -> Token:
        """Return a valid token that holds a scope of this operation.

        Raises:
            MissingScopeError: none does, not even a new one.
            UnavailableError: the token endpoint does not answer as it should.
            ForbiddenError: it refuses the credentials.
        """
        token = await self.token()
        if token.allows(operation):
            return token
        if self._clock.monotonic_s() >= token.requested_at_s + young_s:
            token = await self.renew(token)
        if token.allows(operation):
            return token
        raise missing_scope(operation, f"{operation.name}: the token does not allow it")

    async def renew(self, refused: Token | None) -> Token:
        """Return a token other than this one, requested unless another caller just did.

        Raises:
            UnavailableError: the token endpoint does not answer as it should.
            ForbiddenError: it refuses the credentials.
        """
        async with self._lock:
            if self._token is not None and self._token is not refused:
                return self._token
            self._raise_recent_failure()
            try:
                self._token = await self._ask()
            except (UnavailableError, ForbiddenError) as error:
                self._failure, self._failed_at_s = error, self._clock.monotonic_s()
                raise
            return self._token

    def _raise_recent_failure(self) -> None:
        failure = self._failure
        if failure is None:
            return
        if self._clock.monotonic_s() < self._failed_at_s + _failure_pause_s:
            raise error_of(failure.fault, "no token, a moment ago")
        self._failure = None

    async def _ask(self) -> Token:
        requested_at_s = self._clock.monotonic_s()
        response = await self._transport.send(self._request())
        if (error := error_in_token_answer(response, now=self._clock.now())) is not None:
            raise error
        try:
            grant = _grant.validate_json(response.body)
        except ValidationError:
            raise error_of(ZoomFault.UNEXPECTED, "the token endpoint sent no token") from None
        early_s = min(grant.expires_in * _renewal_part, _longest_renewal_s)
        return Token(
            value=grant.access_token,
            api_url=self._api_url or api_base(grant.api_url) or global_api_url,
            requested_at_s=requested_at_s,
            renew_at_s=requested_at_s + grant.expires_in - early_s,
            expires_at_s=requested_at_s + grant.expires_in,
            scopes=frozenset(grant.scope.replace(",", " ").split()),
        )

    def _request(self) -> Request:
        app = self._credentials
        login = f"{app.client_id}:{app.client_secret.get_secret_value()}"
        return Request(
            "POST",
            self._oauth_url,
            headers={"Authorization": f"Basic {b64encode(login.encode()).decode()}"},
            form=(("grant_type", "account_credentials"), ("account_id", app.account_id)),
        )


def api_base(url: str) -> str | None:
    """Return the base URL of a token's region, or None unless it is Zoom's with TLS."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_zoom = any(host == domain or host.endswith(f".{domain}") for domain in _zoom_domains)
    if parts.scheme != "https" or not is_zoom or port not in (None, 443) or parts.username:
        return None
    path = parts.path.rstrip("/") or "/v2"
    return f"https://{host}{path}"
