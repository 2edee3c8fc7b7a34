"""The hot path: one webhook in, one record out; a plain ASGI callable.

The order of its checks is that of the table in `ingest.answers`: whose URL, POST, size, time,
signature, and only then what the body says, because from there on it may no longer be refused.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from traceback import extract_tb
from typing import Final, assert_never

import structlog

from ingest import answers
from ingest.answers import Refusal, RefusedError, Unavailable
from ingest.asgi import Answer, Receive, Scope, Send, pick_headers, respond
from ingest.body import read_body
from ingest.decision import Challenge, Decision, Event, Quarantined, Routing, SignedRequest, decide
from ingest.settings import IngestSettings, default_app
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import RejectedError, TransientError
from runtime.telemetry import ingest as metrics
from runtime.values import Record
from zoom.signature import SignatureError, signature_header, timestamp_header, verify

base_path: Final = "/webhooks/zoom"

_no_app: Final = "-"
"""The label of a request for an app that is not ours; no app can have this name."""

_content_length: Final = b"content-length"
_request_id: Final = b"x-zm-request-id"
_traceparent: Final = b"traceparent"
_names: Final = frozenset(
    {_content_length, _request_id, _traceparent, signature_header, timestamp_header}
)

PickedHeaders = Mapping[bytes, Sequence[bytes]]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class App:
    """One Zoom app that may send, and the secrets that it may sign with, newest first."""

    name: str
    secrets: tuple[bytes, ...]


class Webhook:
    """Takes all requests at and below `base_path`. Holds no state between requests."""

    def __init__(
        self, settings: IngestSettings, *, routing: Routing, publisher: Publisher, clock: Clock
    ) -> None:
        self._apps = dict(_apps_by_path(settings))
        self._settings = settings
        self._routing = routing
        self._publisher = publisher
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._apps.get(scope["path"])
        label = app.name if app else _no_app
        answer: Answer | None
        try:
            answer = await self._timed(await self._admit(app, scope, receive))
        except RefusedError as error:
            metrics.refused.labels(label, error.reason.value).inc()
            answer = answers.refusals[error.reason]
        except SignatureError as error:
            metrics.refused.labels(label, error.fault.value).inc()
            answer = answers.not_signed
        if answer:
            metrics.responses.labels(label, str(answer.status.value)).inc()
            await respond(answer, receive, send)

    async def _admit(self, app: App | None, scope: Scope, receive: Receive) -> SignedRequest:
        if app is None:
            raise RefusedError(Refusal.UNKNOWN_APP)
        if scope["method"] != "POST":
            raise RefusedError(Refusal.METHOD)
        headers = pick_headers(scope["headers"], _names)
        body = await read_body(
            receive,
            declared=headers.get(_content_length, ()),
            limit_bytes=self._settings.max_body_bytes,
            timeout_s=self._settings.body_timeout_s,
        )
        return self._verified(app, headers, body)

    def _verified(self, app: App, headers: PickedHeaders, body: bytes) -> SignedRequest:
        now_s = self._clock.now().timestamp()
        index = verify(
            body,
            timestamps=headers.get(timestamp_header, ()),
            signatures=headers.get(signature_header, ()),
            secrets=app.secrets,
            now_s=now_s,
            window_s=self._settings.timestamp_window_s,
        )
        metrics.verified.labels(app.name, str(index)).inc()
        return SignedRequest(
            app=app.name,
            body=body,
            secret=app.secrets[index],
            received_at_ms=int(now_s * 1000),
            request_id=_single(headers, _request_id),
            traceparent=_single(headers, _traceparent),
        )

    async def _timed(self, request: SignedRequest) -> Answer:
        started_s = self._clock.monotonic_s()
        answer = await self._keep(request)
        metrics.latency.observe(self._clock.monotonic_s() - started_s)
        return answer

    async def _keep(self, request: SignedRequest) -> Answer:
        try:
            decision = decide(request, self._routing)
            if not isinstance(decision, Challenge):
                await self._publish(decision.record)
        except TimeoutError:
            return _not_kept(Unavailable.DEADLINE)
        except TransientError:
            return _not_kept(Unavailable.BROKER)
        except RejectedError as error:
            # No retry mends it by itself, but 4xx would end it here and now: within the 85 minutes
            # of Zoom's retries a person can raise the topic's max.message.bytes.
            _log.error("record refused", app=request.app, reason=error.reason.value)
            return _not_kept(Unavailable.TOO_LARGE)
        except Exception as error:  # noqa: BLE001 - whatever we broke, Zoom must send it again
            # Neither message nor locals of the frames: they may hold what the body held.
            _log.error("request failed", app=request.app, error=_place(error))
            return _not_kept(Unavailable.DEFECT)
        return _kept(decision, request.app)

    async def _publish(self, record: Record) -> None:
        async with asyncio.timeout(self._settings.produce_deadline_s):
            await self._publisher.publish(record)


def _kept(decision: Decision, app: str) -> Answer:
    match decision:
        case Event(family=family):
            metrics.accepted.labels(family).inc()
            return answers.kept
        case Quarantined(reason=reason):
            metrics.quarantined.labels(reason.value).inc()
            return answers.kept
        case Challenge(answer=answer):
            metrics.challenges.labels(app).inc()
            return answers.challenge_met(answer)
        case _:
            assert_never(decision)


def _not_kept(reason: Unavailable) -> Answer:
    metrics.unavailable.labels(reason.value).inc()
    return answers.unavailable


def _place(error: Exception) -> str:
    frames = (f"{frame.name}:{frame.lineno}" for frame in extract_tb(error.__traceback__))
    return f"{type(error).__name__} in {' > '.join(frames)}"


def _apps_by_path(settings: IngestSettings) -> Iterator[tuple[str, App]]:
    for name, secrets in settings.apps.items():
        app = App(name, tuple(secret.get_secret_value().encode() for secret in secrets))
        paths = (f"{base_path}/{name}", *((base_path,) if name == default_app else ()))
        for path in paths:
            yield path, app
            yield f"{path}/", app


def _single(headers: PickedHeaders, name: bytes) -> bytes:
    """Return a header's value, empty where it is absent or ambiguous."""
    values = headers.get(name, ())
    return values[0] if len(values) == 1 else b""
