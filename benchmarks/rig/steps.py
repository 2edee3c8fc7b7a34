"""What each step of a webhook costs in a process of its own, without sockets and broker."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.producer.message_accumulator import BatchBuilder

from benchmarks.rig.load import signed
from ingest.http.connection import Connection
from ingest.http.connections import ConnectionBounds, Connections
from ingest.http.limits import RequestBounds
from ingest.http.request_context import RequestContext
from ingest.http.request_limiter import RequestLimiter
from ingest.http.responses import Refusal
from ingest.settings import IngestSettings
from ingest.webhook.endpoint import Webhook
from ingest.webhook.responses import acknowledged
from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from runtime.clock import SystemClock
from runtime.contracts import Settled
from runtime.kafka.compression import compress_lightly
from runtime.partitioner import partition_of
from runtime.process.gc_tuning import tune_gc
from runtime.values import Record
from schemas import headers, identity
from schemas.envelope import read_envelope
from zoom.signature import sign, verify

_connections: Final = 128
_repeats: Final = 7
_lz4: Final = 3
_batch_records: Final = 8
"""As many as one partition of four gets in a wave under load."""

_key: Final = b"pseudonym-key-of-a-benchmark"
_limits: Final = RequestBounds(64, 16 * 1024, 1024 * 1024, 5.0, 5.0, 10.0)


def steps_us(bodies: Sequence[bytes], secret: str) -> dict[str, float]:
    """Return microseconds of processor time per request, by step; the best of some repeats."""
    tune_gc()
    compress_lightly()
    routing = RoutingSettings("zcc", _key)
    envelopes = [read_envelope(body) for body in bodies]
    ids = [identity.event_id(envelope) for envelope in envelopes]
    addresses = [identity.event_address(envelope, pseudonym_key=_key) for envelope in envelopes]
    moments = [identity.occurred_at_ms(envelope) for envelope in envelopes]
    now_s = SystemClock().now().timestamp()
    timestamp = b"%d" % int(now_s)
    own = secret.encode()
    signatures = [sign(body, timestamp=timestamp, secret=own) for body in bodies]
    signed_requests = [SignedRequest("default", body, own, int(now_s * 1000)) for body in bodies]
    records = [
        each.record
        for each in (decide(one, routing) for one in signed_requests)
        if type(each) is RoutedEvent
    ]
    requests = signed(bodies, "/webhooks/zoom", secret)
    count = len(bodies)

    def verified() -> None:
        for body, signature in zip(bodies, signatures, strict=True):
            verify(
                body,
                timestamps=(timestamp,),
                signatures=(signature,),
                secrets=(own,),
                now_s=now_s,
                window_s=300.0,
            )

    def named() -> None:
        for envelope, event_id, moment, address in zip(
            envelopes, ids, moments, addresses, strict=True
        ):
            headers.event_headers(
                envelope,
                event_id=event_id,
                occurred_at_ms=moment,
                subject=address.subject,
                partition_key=address.partition_key,
            )

    return {
        "http": _us(_over_http(_Answering(), requests), count),
        "signature": _us(verified, count),
        "json_and_envelope": _us(_each(read_envelope, bodies), count),
        "event_id": _us(_each(identity.event_id, envelopes), count),
        "key_and_subject": _us(
            _each(lambda each: identity.event_address(each, pseudonym_key=_key), envelopes), count
        ),
        "occurred_at": _us(_each(identity.occurred_at_ms, envelopes), count),
        "headers": _us(named, count),
        "decision_in_all": _us(_each(lambda each: decide(each, routing), signed_requests), count),
        "partition": _us(
            _each(lambda each: partition_of(each.key or b"", partitions=4), records), count
        ),
        "batch": _us(lambda: _batches(records), count),
        "all_but_batch": _us(_over_http(_webhook(secret, routing), requests), count),
    }


def _us(run: Callable[[], object], count: int) -> float:
    def once() -> float:
        begun_s = time.process_time()
        run()
        return time.process_time() - begun_s

    run()
    return round(min(once() for _ in range(_repeats)) / count * 1e6, 2)


def _each(step: Callable[..., object], values: Sequence[object]) -> Callable[[], None]:
    def run() -> None:
        for value in values:
            step(value)

    return run


def _batches(records: Sequence[Record]) -> None:
    for start in range(0, len(records), _batch_records):
        builder = BatchBuilder(256 * 1024, _lz4)
        for record in records[start : start + _batch_records]:
            builder.append(
                timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
            )
        builder._set_producer_state(1, 0, 0)  # noqa: SLF001 - as the library's sender does
        builder._build()  # noqa: SLF001 - as above


class _Answering:
    """Answers at once, so that only HTTP is left."""

    def on_headers(self, context: RequestContext) -> None: ...

    def on_error(self, context: RequestContext, reason: Refusal) -> None: ...

    def on_body(self, context: RequestContext) -> None:
        context.reply(acknowledged)

    def on_response_written(self, context: RequestContext) -> None: ...


class _Acknowledging:
    """A sender whose broker has it at once."""

    ready = True

    def send(self, _: Record, settled: Settled) -> None:
        self.settled = settled

    async def publish(self, record: Record) -> None: ...


class _AcknowledgingWebhook(Webhook):
    """Settles each record as soon as it is under way."""

    sender = _Acknowledging()

    def on_body(self, context: RequestContext) -> None:
        super().on_body(context)
        self.sender.settled(None)
        self.tick(0.0)


def _webhook(secret: str, routing: RoutingSettings) -> Webhook:
    settings = IngestSettings(
        apps={"default": [secret]},  # type: ignore[arg-type]  # pydantic parses it
        pseudonym_key=_key.decode(),  # type: ignore[arg-type]  # as above
        remembered_signatures=0,  # each run sends the same signed requests
    )
    apps = settings.apps
    return _AcknowledgingWebhook(
        settings,
        apps=lambda: apps,  # type: ignore[arg-type, return-value]  # given as JSON, not as a file
        routing=routing,
        sender=_AcknowledgingWebhook.sender,
        limiter=RequestLimiter(requests=_connections, size_bytes=2**30),
        clock=SystemClock(),
    )


class _Transport:
    """Takes answers and forgets them."""

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return ("127.0.0.1", 1)

    def write(self, _: bytes) -> None: ...

    def is_closing(self) -> bool:
        return False


def _over_http(application: _Answering | Webhook, requests: Sequence[bytes]) -> Callable[[], None]:
    shared = Connections(
        lambda _path, _method: application,
        limits=_limits,
        bounds=ConnectionBounds(_connections, _connections),
        limiter=RequestLimiter(requests=_connections, size_bytes=2**30),
        clock=SystemClock(),
    )
    connections: list[Connection] = [Connection(shared) for _ in range(_connections)]
    for connection in connections:
        connection.connection_made(_Transport())  # type: ignore[arg-type]  # all of a transport that is used

    def run() -> None:
        for index, request in enumerate(requests):
            connections[index % _connections].data_received(request)

    return run
