"""The simulated API for `benchmarks.names`: each caller has an address of its own, and is counted.

The component in the address, ``/enrichment/v2/…``, is removed before the API sees the request.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import aiohttp
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.clock import MachineClock
from simulator.company import Company
from simulator.faults import Faults
from simulator.rest.app import rest_app
from simulator.rest.server import serving
from simulator.service import make_state
from simulator.settings import SimulatorSettings
from simulator.state import State, state_answers
from zoom.limits import Label, plan_limits

client_id: Final = "simulator"
client_secret: Final = "client-secret-of-a-benchmark"
callers: Final = ("reference", "reference-changes", "enrichment")

_latency: Final = Faults(latency_s=0.2, latency_spread_s=0.15)
_api: Final = "/v2/"


class CallCount:
    """An ASGI application in front of the API; counts requests to it by caller and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.calls: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        caller, _, path = scope.get("path", "").removeprefix("/").partition("/")
        if caller not in callers:
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start" and f"/{path}".startswith(_api):
                self.calls[caller, message["status"]] += 1
            await send(message)

        own = {**scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}
        await self._app(own, receive, counting)

    def by_caller(self) -> Mapping[str, int]:
        """Return the requests of each caller so far."""
        return {
            each: sum(count for (caller, _), count in self.calls.items() if caller == each)
            for each in callers
        }

    def by_status(self) -> Mapping[str, int]:
        """Return the requests by status so far."""
        counts: Counter[str] = Counter()
        for (_, status), count in self.calls.items():
            counts[str(status)] += count
        return counts


@dataclass(frozen=True, slots=True)
class Zoom:
    """A running API: its base URL, its state, and who has called it."""

    url: str
    state: State
    count: CallCount

    async def set_outage(self, outage: bool) -> None:  # noqa: FBT001 - the member of the fault
        """Answer 503 from now on, or no longer."""
        faults = _latency.model_copy(update={"outage": outage}).model_dump(mode="json")
        await self._control("faults", faults)

    async def usage(self) -> Mapping[str, Mapping[str, int]]:
        """Return what the API itself has counted; requests in an outage are not among them."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(f"{self.url}/control/usage") as response,
        ):
            usage: Mapping[str, Mapping[str, int]] = await response.json()
        return usage

    async def _control(self, name: str, document: object) -> None:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.url}/control/{name}", json=document),
        ):
            pass


@asynccontextmanager
async def simulated_zoom(company: Company) -> AsyncIterator[Zoom]:
    """Serve the API with the limits of CC Pro, 50 to 350 ms before each answer."""
    limits = plan_limits["pro"]
    settings = SimulatorSettings(
        secret=SecretStr("webhook-secret-of-a-benchmark"),
        client_id=client_id,
        client_secret=SecretStr(client_secret),
        rest_light_per_s=limits[Label.LIGHT].per_second,
        rest_medium_per_s=limits[Label.MEDIUM].per_second,
        rest_heavy_per_s=limits[Label.HEAVY].per_second,
        rest_heavy_per_day=limits[Label.HEAVY].per_day or 0,
        rest_latency_s=_latency.latency_s,
        rest_latency_spread_s=_latency.latency_spread_s,
    )
    state, clock = make_state(settings, company), MachineClock()
    app = rest_app(
        settings,
        state_answers(state),
        account_id=company.account_id,
        clock=clock,
        rng=Random("rest of a benchmark"),
    )
    count = CallCount(app)
    async with serving(count, host="127.0.0.1", port=0, clock=clock) as url:
        yield Zoom(url, state, count)
