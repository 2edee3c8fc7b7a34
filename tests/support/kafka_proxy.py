"""A proxy in front of the broker, in this process, that answers as brokers do that are not well.

Clients find only the proxy: wherever an answer names the broker's address, the proxy puts its own.
Source: Kafka protocol guide, the layout of requests and responses.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.protocol.api import Response
from aiokafka.protocol.fetch import FetchRequest_v4, FetchRequest_v11
from aiokafka.protocol.offset import OffsetRequest_v1, OffsetRequest_v3
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceRequest_v8

_not_leader = 6
_produce = 0
_host = "127.0.0.1"


class _PendingRequest(NamedTuple):
    api: tuple[int, int]
    is_poisoned: bool


class Proxy:
    """``deposed`` topics have no leader here: what is asked of it as such is refused.

    Of ``damaged`` topics the last bit of what is fetched is another. Records that are sent together
    with ``poison`` are not stored, and the answer is ``poison_code``.
    """

    def __init__(self, target: str) -> None:
        self.deposed: set[str] = set()
        self.damaged: set[str] = set()
        self.poison: bytes | None = None
        self.poison_code = -1
        self.refusals = 0
        self.address = ""
        self._target = int(target.rpartition(":")[2])

    def listen(self, port: int) -> None:
        self.address = f"{_host}:{port}"
        host = struct.pack(">h", len(_host)) + _host.encode()
        self._broker = host + struct.pack(">i", self._target)
        self._own = host + struct.pack(">i", port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection(_host, self._target)
        pending: dict[int, _PendingRequest] = {}
        try:
            await asyncio.gather(
                self._requests(reader, to_broker, pending),
                self._responses(from_broker, writer, pending),
            )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # one side has hung up
        finally:
            to_broker.close()
            writer.close()

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pending: dict[int, _PendingRequest],
    ) -> None:
        while True:
            request = await _message(reader)
            key, version, correlation = struct.unpack(">hhi", request[:8])
            poisoned = self.poison is not None and key == _produce and self.poison in request
            pending[correlation] = _PendingRequest((key, version), poisoned)
            if poisoned:  # its checksum does not hold
                request = _damaged(request)
            writer.write(struct.pack(">i", len(request)) + request)

    async def _responses(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pending: dict[int, _PendingRequest],
    ) -> None:
        while True:
            answer = await _message(reader)
            request = pending.pop(struct.unpack(">i", answer[:4])[0])
            kind = _kinds.get(request.api)
            if kind is not None:
                answer = answer[:4] + self._damage(kind.decode(BytesIO(answer[4:])))
            if request.is_poisoned:
                kind = _produced[request.api]
                answer = answer[:4] + _response_of(
                    kind.decode(BytesIO(answer[4:])), self.poison_code
                )
            answer = answer.replace(self._broker, self._own)
            writer.write(struct.pack(">i", len(answer)) + answer)

    def _damage(self, answer: Response) -> bytes:
        topics = []
        for topic, partitions in answer.topics:
            damaged = partitions
            if topic in self.deposed:
                self.refusals += 1
                damaged = [_refused(partition) for partition in partitions]
            elif topic in self.damaged:
                damaged = [(*rest, _damaged(last)) for *rest, last in partitions]
            topics.append((topic, damaged))
        answer.topics = topics
        return answer.encode()


def _refused(partition: tuple[object, ...]) -> tuple[object, ...]:
    number, _, *rest = partition
    records = [b""] if isinstance(rest[-1], bytes | None) else rest[-1:]
    return (number, _not_leader, *rest[:-1], *records)


def _response_of(answer: Response, code: int) -> bytes:
    answer.topics = [
        (topic, [(number, code, *rest) for number, _, *rest in partitions])
        for topic, partitions in answer.topics
    ]
    return answer.encode()


def _damaged(records: Any) -> Any:
    return (
        records[:-1] + bytes([records[-1] ^ 1])
        if records and isinstance(records, bytes)
        else records
    )


_produced = {
    (each.API_KEY, each.API_VERSION): each.RESPONSE_TYPE
    for each in (ProduceRequest_v7, ProduceRequest_v8)
}
_kinds = {
    (each.API_KEY, each.API_VERSION): each.RESPONSE_TYPE
    for each in (FetchRequest_v4, FetchRequest_v11, OffsetRequest_v1, OffsetRequest_v3)
}


async def _message(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


@asynccontextmanager
async def proxy_before(bootstrap_servers: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(bootstrap_servers)
    server = await asyncio.start_server(proxy.serve, _host, 0)
    proxy.listen(server.sockets[0].getsockname()[1])
    async with server:
        yield proxy
        server.close()
