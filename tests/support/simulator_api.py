"""The simulator's REST API as a test asks it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
from aiohttp import ClientSession, encode_basic_auth
from yarl import URL

from simulator.company import Company
from simulator.rest.answers import Answer
from simulator.rest.app import rest_app
from simulator.rest.server import serving
from simulator.service import rest_api
from tests.support.simulator_receiver import simulator_settings

login = encode_basic_auth("app-1", "credentials of the tests")


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def document(self) -> Any:
        return orjson.loads(self.content)

    @property
    def body(self) -> dict[str, object]:
        assert isinstance(self.document, dict)
        return self.document

    def items(self, name: str) -> list[dict[str, object]]:
        items = self.body[name]
        assert isinstance(items, list)
        return items

    @property
    def code(self) -> object:
        return self.body["code"]

    @property
    def wrong_fields(self) -> list[object]:
        return [error["field"] for error in self.document["errors"]]


@dataclass
class Api:
    http: ClientSession
    base: str
    token: str = ""

    async def get(self, path: str, **query: str) -> Reply:
        return await self.send("GET", f"/v2/contact_center{path}", query=query)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Reply:
        """Ask a path that is escaped already; ``body`` is ``json`` or ``data`` of aiohttp."""
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        url = URL(self.base + path, encoded=True).update_query(query or {})
        async with self.http.request(
            method, url, headers={**bearer, **(headers or {})}, allow_redirects=False, **body
        ) as reply:
            return Reply(reply.status, await reply.read(), reply.headers)

    async def ask_token(self, auth: str | None = login, **form: str) -> Reply:
        headers = {"authorization": auth} if auth else {}
        address = f"{self.base}/oauth/token"
        async with self.http.post(address, data=form, headers=headers) as reply:
            return Reply(reply.status, await reply.read(), reply.headers)

    async def renew_token(self, account_id: str) -> None:
        reply = await self.ask_token(grant_type="account_credentials", account_id=account_id)
        self.token = str(reply.body.get("access_token", ""))

    async def set_faults(self, **faults: object) -> int:
        async with self.http.post(f"{self.base}/control/faults", json=faults) as reply:
            return reply.status


class ClockThatStands:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.s = 1_750_000_000.0

    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.s)

    def monotonic_s(self) -> float:
        return self.s


@asynccontextmanager
async def asking(company: Company, clock: ClockThatStands, **changes: object) -> AsyncIterator[Api]:
    """Ask the API of a company of which no event has told anything yet."""
    settings = simulator_settings("http://127.0.0.1:9/", **changes)
    async with rest_api(settings, company, clock=clock) as base, ClientSession() as http:
        api = Api(http, base)
        await api.renew_token(company.account_id)
        yield api


@asynccontextmanager
async def asking_inventions(
    clock: ClockThatStands, answers: Mapping[str, Answer] | None = None, **changes: object
) -> AsyncIterator[Api]:
    """Ask an API that knows nothing but these answers; account "a", no limit to speak of."""
    settings = simulator_settings("http://127.0.0.1:9/", **(_without_limits | changes))
    app = rest_app(settings, answers or {}, account_id="a", clock=clock, rng=Random(1))
    async with serving(app, host="127.0.0.1", port=0) as base, ClientSession() as http:
        api = Api(http, base)
        await api.renew_token("a")
        yield api


_without_limits: dict[str, object] = {
    f"rest_{label}_per_s": 100_000 for label in ("light", "medium", "heavy")
} | {"rest_heavy_per_day": 0}
