"""Shows requests to Zoom's API instead of sending them; needs no token."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from operations.printable import printable
from zoom.catalogue import Operation, find
from zoom.http.connection import Call
from zoom.http.oauth import Token
from zoom.limits import Priority
from zoom.messages import MultipartPart, Request
from zoom.requests.arguments import address
from zoom.requests.bodies import content

_no_token: Final = "(a token of the app)"  # noqa: S105 - stands where a token would


class DryRun:
    """A `zoom.messages.Caller` that prints requests and returns an empty list."""

    def __init__(self, base_url: str, show: Callable[[Operation, Request], None]) -> None:
        self._token = Token(_no_token, base_url, requested_at_s=0, renew_at_s=0, expires_at_s=0)
        self._show = show

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> Any:  # noqa: ANN401 - as zoom.messages.Caller
        """Show the request of a call.

        Raises:
            ArgumentError: an argument or the body is wrong.
        """
        target = find(operation)
        call = Call(
            operation=target,
            address=address(target, arguments),
            content=content(target, body),
            priority=Priority.INTERACTIVE,
            expected_since=None,
        )
        self._show(target, call.request(self._token))
        return {target.reply.items: []} if target.reply.items else None


def request_text(operation: Operation, request: Request) -> str:
    """Return a request for people, nearly as it would be on the wire."""
    shown = request_object(operation, request)
    lines = [f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in shown["headers"].items()]
    if "body" in shown:
        lines += ["", orjson.dumps(shown["body"], option=orjson.OPT_INDENT_2).decode()]
    for part in shown.get("parts", ()):
        lines += ["", *(f"{name}: {value}" for name, value in part.items())]
    return "\n".join("\n".join(map(printable, line.split("\n"))) for line in lines) + "\n"


def request_object(operation: Operation, request: Request) -> dict[str, Any]:
    """Return a request as one JSON object, without its token."""
    headers = dict(request.headers)
    shown: dict[str, Any] = {"method": request.method, "url": request.url, "headers": headers}
    if operation.body is not None and (request.json or request.parts):
        headers["Content-Type"] = operation.body.content_type
    if request.json:
        shown["body"] = orjson.loads(request.json)
    if request.parts:
        shown["parts"] = [_part_object(part) for part in request.parts]
    return shown


def _part_object(part: MultipartPart) -> dict[str, object]:
    if part.file_name is None:
        return {"name": part.name, "text": part.content.decode()}
    return {"name": part.name, "file": part.file_name, "size_bytes": len(part.content)}
