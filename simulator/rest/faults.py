"""Faults on request, one row per kind.

A fault delays a request, replaces its reply by an error, or corrupts the reply. Several faults of
one request apply in the order in which they were requested.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from simulator.faults import Faults, RestFault, fault_targets

_pieces: Final = 10


class ActiveFaults:
    """The faults of a running API, and how many requests each has still to hit."""

    def __init__(self, faults: Faults, rng: random.Random) -> None:
        self.faults = faults
        self._rng = rng
        self._left = [fault.requests for fault in faults.faults]

    def hits(self, name: str) -> list[RestFault]:
        """Return the faults of the next request to an operation or another target."""
        return [
            fault
            for index, fault in enumerate(self.faults.faults)
            if self._hits(index, fault, name)
        ]

    def latency_s(self) -> float:
        """Return how long the next request waits."""
        spread_s = self.faults.latency_spread_s
        return self.faults.latency_s + self._rng.uniform(-spread_s, spread_s)

    def _hits(self, index: int, fault: RestFault, name: str) -> bool:
        applies = name in fault.operations if fault.operations else name not in fault_targets
        left = self._left[index]
        if not applies or left == 0 or self._rng.random() >= fault.rate:
            return False
        if left is not None:
            self._left[index] = left - 1
        return True


async def inject_delay(faults: list[RestFault], request: Request) -> None:
    """Wait as the faults require; a hanging one lasts until the client has disconnected."""
    for fault in faults:
        if fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "hang":
            while (await request.receive())["type"] != "http.disconnect":
                pass  # what is left of the request itself


def corrupt(response: Response, faults: list[RestFault], request: Request) -> Response:
    """Return the corrupted reply."""
    for fault in faults:
        if fault.kind in _corruptions:
            response = _corruptions[fault.kind](response, fault, request)
    return response


def _changed(response: Response, **headers: str) -> dict[str, str]:
    """Return the replaced headers, without those about the body."""
    of_the_body = {"content-length", "content-type"}
    others = {name: text for name, text in response.headers.items() if name not in of_the_body}
    return others | headers


def _content_type(response: Response, _fault: RestFault, _request: Request) -> Response:
    return Response(bytes(response.body), response.status_code, _changed(response), "text/plain")


class _CutResponse(Response):
    """Half of the body that the headers promise; then the server disconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_half(message: Message) -> None:
            if message["type"] == "http.response.body":
                half = message["body"][: len(message["body"]) // 2]
                message = {**message, "body": half, "more_body": True}
            await send(message)

        await super().__call__(scope, receive, send_half)


def _cut(response: Response, _fault: RestFault, _request: Request) -> Response:
    spoilt = _CutResponse(bytes(response.body), response.status_code)
    spoilt.raw_headers = response.raw_headers
    return spoilt


def _empty(response: Response, _fault: RestFault, _request: Request) -> Response:
    return Response(b"", 200, _changed(response), response.headers.get("content-type"))


def _error_body(response: Response, fault: RestFault, _request: Request) -> Response:
    document = {"code": fault.code or 300, "message": "validation failed"}
    return Response(orjson.dumps(document), 200, _changed(response), "application/json")


class BareResponse(Response):
    """A reply that does not come from the API, and has none of its headers."""


def _gateway_limited(_response: Response, fault: RestFault, _request: Request) -> Response:
    document = {"code": 429, "message": "Too many requests"}
    headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
    return BareResponse(orjson.dumps(document), 429, headers, "application/json")


def _html(response: Response, fault: RestFault, _request: Request) -> Response:
    page = "<!doctype html><html><body><h1>Something is not right</h1></body></html>"
    return Response(page, fault.status or 200, _changed(response), "text/html")


def _redirect(response: Response, fault: RestFault, _request: Request) -> Response:
    return Response(b"", fault.status or 302, _changed(response, location=fault.location))


def _repeated_page(response: Response, _fault: RestFault, request: Request) -> Response:
    token = request.query_params.get("next_page_token")
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:  # another fault has corrupted it already
        return response
    if token is None or not isinstance(document, dict):
        return response
    body = orjson.dumps(document | {"next_page_token": token})
    media_type = response.headers.get("content-type")
    return Response(body, response.status_code, _changed(response), media_type)


class _SlowResponse(Response):
    """The body in pieces, each with a delay."""

    piece_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_pieces(message: Message) -> None:
            if message["type"] == "http.response.body":
                size = max(1, -(-len(message["body"]) // _pieces))
                for start in range(0, len(message["body"]), size):
                    await asyncio.sleep(self.piece_s)
                    piece = message["body"][start : start + size]
                    await send({**message, "body": piece, "more_body": True})
                message = {**message, "body": b""}
            await send(message)

        await super().__call__(scope, receive, send_pieces)


def _slow_body(response: Response, fault: RestFault, _request: Request) -> Response:
    spoilt = _SlowResponse(bytes(response.body), response.status_code)
    spoilt.raw_headers = response.raw_headers
    spoilt.piece_s = fault.seconds / _pieces
    return spoilt


def _truncated(response: Response, _fault: RestFault, _request: Request) -> Response:
    half = bytes(response.body)[: len(response.body) // 2]
    return Response(
        half, response.status_code, _changed(response), response.headers.get("content-type")
    )


_corruptions: Final[Mapping[str, Callable[[Response, RestFault, Request], Response]]] = {
    "content_type": _content_type,
    "cut": _cut,
    "empty": _empty,
    "error_body": _error_body,
    "gateway_limited": _gateway_limited,
    "html": _html,
    "redirect": _redirect,
    "repeated_page": _repeated_page,
    "slow_body": _slow_body,
    "truncated": _truncated,
}
