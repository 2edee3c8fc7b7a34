"""Zoom's REST API: tokens, all operations of the catalogue, and the files that they link to.

A request passes faults, token, scope, limit, parameters and body, in this order. Then the state
answers it, or `simulator.rest.synthetic_answers` where the state has no answer. Every reply carries
the headers of the rate limit. ``POST /control/faults`` replaces the `Faults` of a running API; a
fault missing in its body ends. ``GET /control/usage`` returns the counted requests.

Source: Zoom Contact Center REST API (paths, labels, paging, codes); server-to-server OAuth.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import SimulatorClock
from simulator.faults import Faults, RestFault
from simulator.rest.access import IssuedTokens, OauthError, token_refusal
from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.bodies import read_body
from simulator.rest.date_ranges import spans_of
from simulator.rest.documents import ApiError
from simulator.rest.downloads import Files, file_paths, signed_path
from simulator.rest.faults import ActiveFaults, BareResponse, corrupt, inject_delay
from simulator.rest.limits import CallCounter
from simulator.rest.pages import page_of, page_token_of
from simulator.rest.parameters import check_path, read_query
from simulator.rest.routes import Routes
from simulator.rest.synthetic_answers import Inventor
from simulator.settings import SimulatorSettings
from zoom.catalogue import Operation, operations

_api: Final = "/v2"
_methods: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_json: Final = "application/json;charset=UTF-8"


def rest_app(
    settings: SimulatorSettings,
    answers: Mapping[str, Answer],
    *,
    account_id: str,
    clock: SimulatorClock,
    rng: random.Random,
) -> Starlette:
    """Build the API of one account; ``answers`` come from the state, by operation."""
    api = _Api(settings, answers, account_id=account_id, clock=clock, rng=rng)
    return Starlette(
        routes=[
            Route("/oauth/token", api.token, methods=["POST"]),
            Route("/control/faults", api.change_faults, methods=["POST"]),
            Route("/control/usage", api.usage, methods=["GET"]),
            *(
                Route(path, api.file_of(content_type), methods=["GET"])
                for path, content_type in file_paths.items()
            ),
            Route(signed_path, api.signed_file, methods=["GET"]),
            Route(f"{_api}/{{path:path}}", api.operation, methods=_methods),
        ]
    )


class _Api:
    """The steps of every request, and its answer."""

    def __init__(
        self,
        settings: SimulatorSettings,
        answers: Mapping[str, Answer],
        *,
        account_id: str,
        clock: SimulatorClock,
        rng: random.Random,
    ) -> None:
        self._answers = answers
        self._clock = clock
        self._chance = rng
        self._tokens = IssuedTokens(settings, account_id=account_id, clock=clock, rng=rng)
        self._limits = CallCounter(settings, clock)
        self._active_faults = ActiveFaults(settings.first_faults, rng)
        self._routes = Routes(operations().values())
        self._inventor = Inventor(settings.seed)
        self._files = Files(seed=settings.seed, size_bytes=settings.rest_file_size_bytes)

    async def change_faults(self, request: Request) -> Response:
        """Replace the faults."""
        try:
            faults = Faults.model_validate_json(await request.body())
        except ValidationError as error:
            return _document(
                error.errors(include_url=False, include_context=False, include_input=False), 400
            )
        self._active_faults = ActiveFaults(faults, self._chance)
        return _document(faults.model_dump(mode="json"))

    async def usage(self, _request: Request) -> Response:
        """Return the counted requests; see `CallCounter.usage`."""
        return _document(self._limits.usage())

    async def token(self, request: Request) -> Response:
        """Issue an access token; the form may be in the body or in the query."""
        form = dict(request.query_params) | dict(
            parse_qsl((await request.body()).decode(errors="replace"))
        )
        authorization = request.headers.get("authorization", "")

        def answer(faults: list[RestFault]) -> Response:
            withheld = self._active_faults.faults.withheld_scopes
            self._refuse(faults, None, authorization)
            return _document(self._tokens.grant(authorization, form, withheld=withheld))

        return await self._under_faults("token", request, answer)

    def file_of(self, content_type: str) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler of files of this type."""

        async def serve(request: Request) -> Response:
            authorization = request.headers.get("authorization", "")

            def answer(faults: list[RestFault]) -> Response:
                self._tokens.check(authorization)
                self._refuse(faults, None, authorization)
                return self._file(content_type, request)

            return await self._under_faults("download", request, answer)

        return serve

    async def signed_file(self, request: Request) -> Response:
        """Serve a file by its address, to a request without a token."""
        if "authorization" in request.headers:
            return _error(ApiError(400, 400, "expected no authorization header at this address"))
        try:
            return self._file("application/octet-stream", request)
        except ApiError as error:
            return _error(error)

    async def operation(self, request: Request) -> Response:
        """Answer an operation."""
        try:
            path = request.scope["path"].removeprefix(_api)
            operation, path_values = self._routes.find(request.method, path)
        except ApiError as error:
            return _error(error)
        body = await request.body()

        def answer(faults: list[RestFault]) -> Response:
            self._admit(operation, faults, request.headers.get("authorization", ""))
            return self._answer(operation, path_values, request, body)

        response = await self._under_faults(operation.name, request, answer)
        if isinstance(response, BareResponse):
            return response
        for name, value in self._limits.headers(operation).items():
            response.headers.setdefault(name, value)
        return response

    async def _under_faults(
        self, name: str, request: Request, answer: Callable[[list[RestFault]], Response]
    ) -> Response:
        faults = self._active_faults.hits(name)
        try:
            await asyncio.sleep(self._active_faults.latency_s())
            await inject_delay(faults, request)
            self._refuse_in_outage()
            response = answer(faults)
        except (ApiError, OauthError) as error:
            response = _error(error)
        return corrupt(response, faults, request)

    def _refuse_in_outage(self) -> None:
        if self._active_faults.faults.outage:
            raise ApiError(503, 503, "service unavailable")

    def _admit(self, operation: Operation, faults: list[RestFault], authorization: str) -> None:
        general = self._active_faults.faults
        self._tokens.check(authorization, operation, withheld=general.withheld_scopes)
        self._limits.take(operation)
        rng = self._chance.random()
        if rng < general.error_rate:
            raise ApiError(500, 500, "internal error")
        if rng < general.error_rate + general.limited_rate:
            raise self._limits.refusal(operation)
        self._refuse(faults, operation, authorization)

    def _refuse(
        self, faults: list[RestFault], operation: Operation | None, authorization: str
    ) -> None:
        """Raise the error of the first fault that replaces the answer by one."""
        for fault in faults:
            match fault.kind:
                case "error":
                    status = fault.status or 500
                    raise ApiError(status, fault.code or status, "it went wrong on request")
                case "token_expired":
                    self._tokens.forget(authorization)
                    raise token_refusal(operation)
                case "limited":
                    raise self._limits.refusal(operation)
                case "daily_limited":
                    raise self._limits.daily_refusal(operation)

    def _answer(
        self, operation: Operation, path: Mapping[str, str], request: Request, body: bytes
    ) -> Response:
        now = self._clock.now()
        check_path(operation, path)
        query = read_query(operation, request.query_params.multi_items())
        page_token = page_token_of(operation, path, query, now=now)
        rest_request = RestRequest(
            operation=operation,
            path=path,
            query=query,
            body=read_body(operation, request.headers.get("content-type", ""), body),
            now=now,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            spans=spans_of(operation, query, now=page_token.since),
        )
        reply = self._answers.get(operation.name, self._inventor.answer)(rest_request)
        if isinstance(reply, Listing):
            reply = page_of(rest_request, reply, page_token)
        if reply is None:
            return Response(status_code=operation.reply.status)
        return _document(reply, operation.reply.status)

    def _file(self, content_type: str, request: Request) -> Response:
        part = self._files.part(request.path_params["file_id"], content_type, request.headers)
        return Response(part.content, part.status, dict(part.headers), content_type)


def _document(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type=_json)


def _error(error: ApiError | OauthError) -> Response:
    response = _document(error.document, error.status)
    if isinstance(error, ApiError):
        response.headers.update(error.headers)
    return response
