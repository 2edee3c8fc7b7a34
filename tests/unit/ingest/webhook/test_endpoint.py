"""What a running server can hardly be brought to: our own defects, apps that change meanwhile."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import cast

import structlog

from ingest.apps.registry import App, Apps
from ingest.http.request_context import RequestContext
from ingest.http.request_limiter import RequestLimiter
from ingest.settings import IngestSettings
from ingest.webhook.endpoint import Webhook
from ingest.webhook.routing import RoutingSettings
from runtime.clock import SystemClock
from runtime.contracts import Settled
from runtime.values import Record
from zoom.signature import sign

secret = b"the-newest-secret"
body = (
    b'{"event":"contact_center.user_created","event_ts":1,"payload":'
    b'{"account_id":"mark-of-the-body","object":{}}}'
)


class Recorder:
    """Takes records and says nothing more of them."""

    def __init__(self) -> None:
        self.ready = True
        self.records: list[Record] = []

    def send(self, record: Record, settled: Settled) -> None:
        self.records.append(record)
        settled(None)

    async def publish(self, record: Record) -> None:
        raise NotImplementedError


class Broken:
    """A setting that cannot be looked at."""

    def __bool__(self) -> bool:
        raise ValueError(body.decode())


def webhook_with(apps: Iterator[Apps], sender: Recorder, *, starts_traces: bool = False) -> Webhook:
    settings = IngestSettings(
        apps=Apps([App("default", (secret,))]),
        pseudonym_key="0123456789abcdef",  # type: ignore[arg-type]  # pydantic parses it
    )
    return Webhook(
        settings,
        apps=lambda: next(apps),
        routing=RoutingSettings("zcc", b"0123456789abcdef", starts_traces),
        sender=sender,
        limiter=RequestLimiter(requests=1, size_bytes=1000),
        clock=SystemClock(),
    )


def completed_by(webhook: Webhook) -> RequestContext:
    timestamp = str(int(SystemClock().now().timestamp())).encode()
    headers = [
        (b"x-zm-request-timestamp", timestamp),
        (b"x-zm-signature", sign(body, timestamp=timestamp, secret=secret)),
    ]
    context = RequestContext(
        *(b"POST", "/webhooks/zoom", b"", headers),
        peer="127.0.0.1",
        keep_alive=True,
        application=webhook,
        answered=lambda: None,
    )
    context.chunks = [body]
    webhook.on_headers(context)
    webhook.on_body(context)
    return context


def always() -> Iterator[Apps]:
    while True:
        yield Apps([App("default", (secret,))])


def status_of(context: RequestContext) -> int:
    assert context.response is not None
    return context.response.status


def test_a_signed_body_is_kept() -> None:
    sender = Recorder()
    assert status_of(completed_by(webhook_with(always(), sender))) == 204
    assert [record.topic for record in sender.records] == ["zcc.user.v1"]


def test_a_signed_body_on_which_our_code_fails_is_kept_in_quarantine_and_sent_again() -> None:
    sender = Recorder()
    broken = cast("bool", Broken())
    with structlog.testing.capture_logs() as logs:
        context = completed_by(webhook_with(always(), sender, starts_traces=broken))
    assert status_of(context) == 503
    (record,) = sender.records
    assert (record.topic, record.value) == ("zcc.quarantine.v1", body)
    assert dict(record.headers)["zcc-reason"] == b"defect"
    (line,) = logs
    assert (line["event"], line["app"]) == ("decision failed", "default")
    assert "mark-of-the-body" not in str(line)


def test_an_app_that_was_taken_away_while_the_body_came_is_not_found() -> None:
    sender = Recorder()
    apps = chain([Apps([App("default", (secret,))])], repeat(Apps([])))
    assert status_of(completed_by(webhook_with(apps, sender))) == 404
    assert sender.records == []
