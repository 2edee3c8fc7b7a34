"""A running ingest server, and a client that sends exactly the bytes that a case asks for."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from ingest.apps.registry import Apps
from ingest.health import Health
from ingest.listen_socket import bound_socket, listen
from ingest.server import run_server
from ingest.service import routing_of
from ingest.settings import IngestSettings
from ingest.webhook.pending import SpillPort
from runtime.clock import Clock, SystemClock
from runtime.contracts import Sender, Settled
from runtime.process.health import serving_health
from runtime.settings import KafkaSettings
from runtime.values import Record
from tests.support.patience import HANG_GUARD_S

Headers = Sequence[tuple[str, bytes]]

secrets = {"default": ["the-newest-secret", "the-older-secret"], "sales": ["the-secret-of-sales"]}
event = orjson.dumps(
    {
        "event": "contact_center.engagement_started",
        "event_ts": 1_751_364_000_000,
        "payload": {"account_id": "account", "object": {"engagement_id": "e1"}},
    }
)


class MemoryPublisher:
    """Keeps what is sent; ``fate`` may wait or raise before that."""

    def __init__(self, fate: Callable[[], Awaitable[object]] | None = None) -> None:
        self.ready = True
        self.sent = asyncio.Event()
        self.records: list[Record] = []
        self._fate = fate
        self._waiting: set[asyncio.Task[None]] = set()

    def send(self, record: Record, settled: Settled) -> None:
        self.sent.set()
        if self._fate is None:
            self.records.append(record)
            asyncio.get_running_loop().call_soon(settled, None)
            return
        task = asyncio.get_running_loop().create_task(self._met(record, settled))
        self._waiting.add(task)  # else nobody holds it
        task.add_done_callback(self._waiting.discard)

    async def publish(self, record: Record) -> None:
        raise NotImplementedError

    async def _met(self, record: Record, settled: Settled) -> None:
        try:
            if self._fate:
                await self._fate()
        except Exception as error:  # noqa: BLE001 - whatever a test has it meet
            settled(error)
        else:
            self.records.append(record)
            settled(None)


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Server:
    """Where the server listens. Setting ``stopping`` drains it.

    ``health_port`` is where health and metrics are.
    """

    port: int
    health_port: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(
        self,
        body: bytes = event,
        *,
        path: str = "/webhooks/zoom",
        headers: Headers | None = None,
    ) -> Answered:
        """Send one POST, signed for the app "default" unless it is given other headers."""
        signed_headers = signed(body) if headers is None else headers
        return await self.send(request(body, path=path, headers=signed_headers))

    async def get(self, path: str) -> Answered:
        """Ask for a page, on the port where it is."""
        raw = f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode()
        is_health = path.partition("?")[0] in {"/healthz", "/readyz", "/metrics"}
        return await self.send(raw, port=self.health_port if is_health else self.port)

    async def send(self, raw: bytes, *, port: int | None = None) -> Answered:
        """Send these bytes on a connection of their own and read one answer."""
        async with self.connection(port) as (reader, writer):
            writer.write(raw)
            return await read_answer(reader)

    @asynccontextmanager
    async def connection(
        self, port: int | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def metric(self, name: str, **labels: str) -> float:
        """Return the present value of a metric, 0 where it was never counted."""
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        sample = f"{name}{{{wanted}}} " if wanted else f"{name} "
        for line in (await self.get("/metrics")).body.decode().splitlines():
            if line.startswith(sample):
                return float(line.removeprefix(sample))
        return 0.0


@asynccontextmanager
async def running(
    publisher: Sender,
    *,
    kafka: KafkaSettings | None = None,
    clock: Clock | None = None,
    spill: SpillPort | None = None,
    present: Callable[[], Apps] | None = None,
    **changes: object,
) -> AsyncIterator[Server]:
    """Run the server on a free port; it drains at the end. ``present``: apps that change."""
    settings = ingest_settings(**changes)
    apps = settings.apps
    assert apps is not None
    health = Health()
    async with serving_health(
        *("127.0.0.1", 0), alive=lambda: None, ready=health.readiness_problem
    ) as health_port:
        with bound_socket(settings) as listener:
            listen(listener, settings)
            server = Server(listener.getsockname()[1], health_port)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    run_server(
                        listener,
                        settings,
                        apps=present or (lambda: apps),
                        routing=routing_of(settings, kafka or KafkaSettings()),
                        sender=publisher,
                        spill=spill,
                        clock=clock or SystemClock(),
                        stopping=server.stopping,
                        health=health,
                    )
                )
                try:
                    yield server
                finally:
                    server.stopping.set()


def ingest_settings(**changes: object) -> IngestSettings:
    values = {
        "host": "127.0.0.1",
        "port": 0,
        "apps": secrets,
        "pseudonym_key": "0123456789abcdef",
        "unready_s": 0,
        "remembered_signatures": 0,  # many tests send one event again and again
    }
    return IngestSettings(**{**values, **changes})  # type: ignore[arg-type]  # pydantic parses them


def signed(
    body: bytes,
    *,
    secret: str = "the-newest-secret",
    timestamp: bytes | None = None,
    more: Headers = (),
) -> list[tuple[str, bytes]]:
    """Return the headers of Zoom, signed by code that shares nothing with ours."""
    now = str(int(time.time())).encode() if timestamp is None else timestamp
    digest = hmac.new(secret.encode(), b"v0:" + now + b":" + body, hashlib.sha256).hexdigest()
    return [
        ("content-type", b"application/json; charset=utf-8"),
        ("x-zm-request-id", b"0a1b2c3d_0001_0002_0003_0123456789ab"),
        ("x-zm-request-timestamp", now),
        ("x-zm-signature", b"v0=" + digest.encode()),
        *more,
    ]


def request(
    body: bytes,
    *,
    path: str = "/webhooks/zoom",
    headers: Headers,
    start: str = "POST {path} HTTP/1.1",
    length: int | None = None,
) -> bytes:
    """Write a request with a Content-Length, a right one unless told."""
    head = f"{start.format(path=path)}\r\nhost: test\r\n".encode()
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers)
    declared = len(body) if length is None else length
    return head + lines + b"content-length: %d\r\n\r\n" % declared + body


def chunked(chunks: Sequence[bytes], *, headers: Headers) -> bytes:
    """Write a request with a chunked body."""
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers)
    head = b"POST /webhooks/zoom HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return head + lines + b"\r\n" + body


def numbered(ordinal: int) -> bytes:
    """Return the body of an event that is like no other."""
    return event.replace(b"e1", b"e%d" % ordinal)


async def read_answer(reader: asyncio.StreamReader) -> Answered:
    """Read one response off a connection, within ten seconds."""
    async with asyncio.timeout(HANG_GUARD_S):
        head = await reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answered(int(status.split(" ")[1]), headers, body)
