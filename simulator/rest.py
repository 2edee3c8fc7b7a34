"""Zoom's REST API as far as the product asks it: tokens, and users and queues by id and as lists.

Every answer carries the headers of the rate limit. ``POST /control/faults`` replaces the `Faults`
of a running API; what its body leaves out does not go wrong.

Source: Zoom Contact Center REST API (paths, labels, paging, codes); server-to-server OAuth.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, unquote

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.clock import Clock
from simulator.company import Company
from simulator.rest_access import Faults, Label, Limits, OauthError, Tokens
from simulator.rest_documents import (
    ApiError,
    Document,
    queue_document,
    queue_list_item,
    user_document,
    user_list_item,
)
from simulator.rest_pages import page_of
from simulator.settings import SimulatorSettings

_contact_center: Final = "/v2/contact_center"

Answer = Callable[[Request], Document]


def rest_app(
    settings: SimulatorSettings, company: Company, *, clock: Clock, chance: random.Random
) -> Starlette:
    """Build the API of one account."""
    gate = _Gate(settings, account_id=company.account_id, clock=clock, chance=chance)
    entities = _Entities(company, clock)
    return Starlette(
        routes=[
            Route("/oauth/token", gate.token, methods=["POST"]),
            Route("/control/faults", gate.change_faults, methods=["POST"]),
            *(
                Route(f"{_contact_center}/{path}", gate.guard(label, answer), methods=["GET"])
                for path, label, answer in entities.operations
            ),
        ]
    )


class _Gate:
    """What every request passes before it is answered."""

    def __init__(
        self,
        settings: SimulatorSettings,
        *,
        account_id: str,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._tokens = Tokens(settings, account_id=account_id, clock=clock, chance=chance)
        self._limits = Limits(settings, clock)
        self._chance = chance
        self._faults = Faults(
            error_rate=settings.rest_error_rate,
            limited_rate=settings.rest_limited_rate,
            latency_s=settings.rest_latency_s,
            outage=settings.rest_outage,
        )

    async def change_faults(self, request: Request) -> Response:
        """Take other faults from now on."""
        try:
            self._faults = Faults.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse(
                error.errors(include_url=False, include_context=False, include_input=False), 400
            )
        return JSONResponse(self._faults.model_dump())

    async def token(self, request: Request) -> Response:
        """Issue an access token; the form may stand in the body or in the query."""
        form = dict(request.query_params) | dict(
            parse_qsl((await request.body()).decode(errors="replace"))
        )
        try:
            await self._endure_faults()
            return JSONResponse(self._tokens.grant(request.headers.get("authorization", ""), form))
        except (ApiError, OauthError) as error:
            return JSONResponse(error.document, error.status)

    def guard(self, label: Label, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Put faults, token and limit before an operation."""

        async def guarded(request: Request) -> Response:
            try:
                await self._admit(label, request)
                return JSONResponse(answer(request), headers=self._limits.headers(label))
            except ApiError as error:
                headers = {**self._limits.headers(label), **error.headers}
                return JSONResponse(error.document, error.status, headers)

        return guarded

    async def _admit(self, label: Label, request: Request) -> None:
        await self._endure_faults()
        self._tokens.check(request.headers.get("authorization", ""))
        self._limits.take(label)
        chance = self._chance.random()
        if chance < self._faults.error_rate:
            raise ApiError(500, 500, "internal error")
        if chance < self._faults.error_rate + self._faults.limited_rate:
            raise self._limits.refusal()

    async def _endure_faults(self) -> None:
        await asyncio.sleep(self._faults.latency_s)
        if self._faults.outage:
            raise ApiError(503, 503, "service unavailable")


class _Entities:
    """What the API knows; made once, since the company does not change."""

    def __init__(self, company: Company, clock: Clock) -> None:
        self._clock = clock
        self._users = {user.user_id: user_document(user) for user in company.users}
        self._queues = {
            queue_id: queue_document(queue)
            for queue in company.queues
            for queue_id in (queue.cc_queue_id, queue.queue_id)
        }
        self._user_items = [user_list_item(user, company) for user in company.users]
        self._queue_items = [queue_list_item(queue, company) for queue in company.queues]

    @property
    def operations(self) -> Sequence[tuple[str, Label, Answer]]:
        """Path, label of the rate limit, and how it is answered."""
        return (
            ("users", "MEDIUM", lambda request: self._page("users", self._user_items, request)),
            ("users/{entity_id}", "LIGHT", self._user),
            ("queues", "MEDIUM", lambda request: self._page("queues", self._queue_items, request)),
            ("queues/{entity_id}", "LIGHT", self._queue),
        )

    def _user(self, request: Request) -> Document:
        return _found(self._users, request, ApiError(404, 1001, "user does not exist"))

    def _queue(self, request: Request) -> Document:
        return _found(self._queues, request, ApiError(404, 1201, "queue does not exist"))

    def _page(self, name: str, items: Sequence[Document], request: Request) -> Document:
        now_s = self._clock.now().timestamp()
        return page_of(name, items, request.query_params, now_s=now_s)


def _found(documents: Mapping[str, Document], request: Request, absent: ApiError) -> Document:
    """Return the entity of the path, whose id may have been escaped twice."""
    document = documents.get(unquote(request.path_params["entity_id"]))
    if document is None:
        raise absent
    return document
