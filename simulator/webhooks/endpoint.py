"""The customer's endpoint as Zoom sees it: one signed delivery, one validation.

Source of the header set: Zoom's sample of a webhook receiver, and observed deliveries.
"""

import base64
import hmac
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import orjson

from simulator.clock import SimulatorClock
from simulator.settings import SimulatorSettings
from simulator.webhooks.retry_schedule import Answer
from simulator.webhooks.signing import encrypted_token, signature

_fixed_headers: Final = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Zoom Marketplace/1.0a",
    "accept-encoding": "gzip",
}


class EndpointInvalidError(Exception):
    """The endpoint did not answer the validation with the secret."""


class Endpoint:
    """Makes deliveries to one URL, each signed again when sent."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: SimulatorSettings,
        *,
        clock: SimulatorClock,
        rng: random.Random,
    ) -> None:
        self._http = http
        self._url = settings.target_url
        self._secret = settings.secret.get_secret_value()
        self._client_id = settings.client_id
        self._clock = clock
        self._chance = rng

    async def deliver(self, body: bytes, *, request_id: str) -> Answer:
        """Make one delivery and return its answer; redirects are not followed."""
        return (await self._post(body, request_id=request_id))[0]

    async def validate(self) -> None:
        """Send the challenge that proves that the endpoint knows the secret.

        Raises:
            EndpointInvalidError: no answer, or one without the secret.
        """
        token = base64.urlsafe_b64encode(self._chance.randbytes(16)).rstrip(b"=").decode()
        challenge = {
            "payload": {"plainToken": token},
            "event_ts": int(self._clock.now().timestamp() * 1000),
            "event": "endpoint.url_validation",
        }
        answer, reply = await self._post(
            orjson.dumps(challenge), request_id=request_id_of(self._chance.randbytes(16))
        )
        if answer != 200:  # noqa: PLR2004 - validation knows no other success, not even 204
            raise EndpointInvalidError(f"validation: expected status 200, got {answer}")
        if not _proves(reply, token, encrypted_token(self._secret, token)):
            raise EndpointInvalidError(
                "validation: expected a JSON object with the plainToken that was sent and its "
                "encryptedToken; check that both sides have the same secret"
            )

    async def _post(self, body: bytes, *, request_id: str) -> tuple[Answer, bytes]:
        headers = self._headers(body, request_id)
        try:
            async with self._http.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            return "timeout", b""
        except aiohttp.ClientError:
            return "network_error", b""

    def _headers(self, body: bytes, request_id: str) -> dict[str, str]:
        timestamp_s = int(self._clock.now().timestamp())
        return _fixed_headers | {
            "clientid": self._client_id,
            "traceparent": f"00-{self._hex(16)}-{self._hex(8)}-01",
            "x-zm-request-id": request_id,
            "x-zm-request-timestamp": str(timestamp_s),
            "x-zm-signature": signature(self._secret, timestamp_s=timestamp_s, body=body),
            "x-zm-trackingid": f"v=2.0;clid=us06;rid=WEB_{self._hex(16)}",
        }

    def _hex(self, size_bytes: int) -> str:
        return self._chance.randbytes(size_bytes).hex()


@asynccontextmanager
async def open_endpoint(
    settings: SimulatorSettings, *, clock: SimulatorClock, rng: random.Random
) -> AsyncIterator[Endpoint]:
    """Open connections to the endpoint: one per concurrent delivery, and one for validations."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections + 1),
        timeout=aiohttp.ClientTimeout(total=settings.answer_limit_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("accept",),
    ) as http:
        yield Endpoint(http, settings, clock=clock, rng=rng)


def request_id_of(digits: bytes) -> str:
    """Write 16 bytes as Zoom writes a request id: ``8_4_4_4_12`` hexadecimal digits."""
    text = digits.hex()
    return "_".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _proves(reply: bytes, plain_token: str, encrypted: str) -> bool:
    try:
        members: object = orjson.loads(reply)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(members, dict) or members.get("plainToken") != plain_token:
        return False
    return hmac.compare_digest(str(members.get("encryptedToken")).encode(), encrypted.encode())
