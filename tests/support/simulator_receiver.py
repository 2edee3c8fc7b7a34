"""An endpoint that answers the simulator as told, and remembers what came."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from simulator.settings import SimulatorSettings
from simulator.stories import StoryEvent
from tests.support.patience import HANG_GUARD_S

secret = "a secret of the tests"

Reply = int | Literal["hang", "cut"]
ChallengeReply = Callable[[str], web.Response]


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes
    at_s: float

    @property
    def request_id(self) -> str:
        return self.headers["x-zm-request-id"]

    @property
    def number(self) -> int:
        """The number that `story_events` gave to the event."""
        return int(json.loads(self.body)["payload"]["object"]["engagement_id"])


def proof(plain_token: str) -> web.Response:
    encrypted = hmac.new(secret.encode(), plain_token.encode(), hashlib.sha256).hexdigest()
    return web.json_response({"plainToken": plain_token, "encryptedToken": encrypted})


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass
class Receiver:
    """``replies`` go to the deliveries of each request id in turn; the last one goes on.

    Deliveries wait for their answer until ``hold`` is set, which it is unless a test says so.
    """

    replies: tuple[Reply, ...] = (204,)
    challenge_reply: ChallengeReply = proof
    received: list[Received] = field(default_factory=list)
    challenges: list[Received] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    hold: asyncio.Event = field(default_factory=_open)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def request_ids(self) -> list[str]:
        return [delivery.request_id for delivery in self.received]

    async def came(self, *, deliveries: int = 0, challenges: int = 0) -> None:
        """Wait until at least so many have arrived."""
        async with asyncio.timeout(HANG_GUARD_S):
            while len(self.received) < deliveries or len(self.challenges) < challenges:
                self.arrived.clear()
                await self.arrived.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Received(headers, await request.read(), asyncio.get_running_loop().time())
        self.arrived.set()
        event = json.loads(delivery.body)
        if event["event"] == "endpoint.url_validation":
            self.challenges.append(delivery)
            return self.challenge_reply(event["payload"]["plainToken"])
        attempt = self.request_ids.count(delivery.request_id)
        self.received.append(delivery)
        return await self._reply(request, self.replies[min(attempt, len(self.replies) - 1)])

    async def _reply(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if reply == "hang":
                await asyncio.Event().wait()
            await self.hold.wait()
        finally:
            self.at_once -= 1
        if reply == "cut":
            assert request.transport
            request.transport.abort()
            return web.Response()
        assert isinstance(reply, int)
        return web.Response(status=reply, headers={"Location": str(request.url)})


@asynccontextmanager
async def serving(receiver: Receiver, *, port: int = 0) -> AsyncIterator[str]:
    """Yield the URL to which webhooks go."""
    app = web.Application()
    app.router.add_post("/webhooks/zoom", receiver.answer)
    async with TestServer(app, port=port or None, handler_cancellation=True) as server:
        yield str(server.make_url("/webhooks/zoom"))


def simulator_settings(url: str, **changes: object) -> SimulatorSettings:
    """Four attempts in 0.1 s, nothing goes wrong unless asked for."""
    return SimulatorSettings.model_validate(
        {
            "target_url": url,
            "secret": SecretStr(secret),
            "client_id": "app-1",
            "client_secret": SecretStr("credentials of the tests"),
            "rate_per_s": 0.0,
            "duplicates": 0.0,
            "reorder": 0.0,
            "time_scale": 50_000.0,
            "answer_limit_s": 1.0,
            "endpoint_wait_s": 0.0,
        }
        | changes
    )


def story_events(count: int, *, link: str = "") -> Iterable[StoryEvent]:
    """Small events, each of an engagement of its own, whose id is its number."""
    for number in range(count):
        members = {"engagement_id": str(number), "note": "emoji 😀"}
        if link:
            members["download_url"] = link
        body = {
            "payload": {"object": members, "account_id": "acc"},
            "event_ts": 1_700_000_000_000 + number,
            "event": "contact_center.engagement_started",
        }
        yield StoryEvent(
            event="contact_center.engagement_started",
            offset_ms=number,
            body=json.dumps(body, ensure_ascii=False).encode(),
            scenario=f"voice-{number}",
        )


def is_signed(delivery: Received) -> bool:
    """Check the signature in the plainest way there is."""
    timestamp = delivery.headers["x-zm-request-timestamp"]
    message = b"v0:" + timestamp.encode() + b":" + delivery.body
    expected = "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return delivery.headers["x-zm-signature"] == expected
