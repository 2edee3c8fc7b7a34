"""HTTP load from one process: raw sockets on uvloop, requests signed ahead.

`python -m benchmarks.rig.load` is started several times at once by `benchmarks.ingest`. Each
connection has one request under way and sends the next as soon as it is answered. The only line
printed is one JSON object, `Load` as `benchmarks.ingest` reads it.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import uvloop

from simulator.webhooks.signing import signature

buckets_per_s: Final = 10_000
"""Latencies are counted by tenths of a millisecond."""

_head_end: Final = b"\r\n\r\n"
_length_name: Final = b"\r\ncontent-length: "
_answer_timeout_s: Final = 10.0


def main() -> None:
    """Drive and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--bodies", type=Path, required=True, help="file with one body per line")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    requests = signed(arguments.bodies.read_bytes().splitlines(), arguments.path, arguments.secret)
    load = _Load(requests, arguments.seconds)
    uvloop.run(load.run(arguments.ports, arguments.connections))
    print(json.dumps(load.result()))


def signed(bodies: Sequence[bytes], path: str, secret: str) -> list[bytes]:
    """Return whole requests, all signed with the time of now."""
    now_s = int(time.time())
    return [_request(body, path, secret, now_s) for body in bodies]


def _request(body: bytes, path: str, secret: str, now_s: int) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nx-zm-request-timestamp: {now_s}\r\n"
        f"x-zm-signature: {signature(secret, timestamp_s=now_s, body=body)}\r\n\r\n"
    )
    return head.encode() + body


class _Load:
    """All connections of this process and what they were answered."""

    def __init__(self, requests: Sequence[bytes], seconds: float) -> None:
        self.requests: Iterator[bytes] = cycle(requests)
        self.latencies: Counter[int] = Counter()
        self.statuses: Counter[str] = Counter()
        self.until_s = 0.0
        self._seconds = seconds
        self._took_s = 0.0

    async def run(self, ports: Sequence[int], connections: int) -> None:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
            for port, _ in zip(cycle(ports), range(connections), strict=False)
        ]
        begun_s = time.perf_counter()
        self.until_s = begun_s + self._seconds
        for _, connection in made:
            connection.ask()
        async with asyncio.timeout(self._seconds + _answer_timeout_s):
            await asyncio.gather(*(connection.ended for _, connection in made))
        self._took_s = time.perf_counter() - begun_s

    def result(self) -> dict[str, object]:
        return {"seconds": self._took_s, "statuses": self.statuses, "latencies": self.latencies}


class _Connection(asyncio.Protocol):
    """One connection that asks, reads the answer and asks again until the time is over."""

    def __init__(self, load: _Load) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load = load
        self._read = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(next(self._load.requests))

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not _is_whole(self._read):
            return
        now_s = time.perf_counter()
        self._load.statuses[self._read[9:12].decode()] += 1
        self._load.latencies[int((now_s - self._sent_s) * buckets_per_s)] += 1
        self._read = b""
        if now_s < self._load.until_s:
            self.ask()
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if time.perf_counter() < self._load.until_s:
            self._load.statuses["broken"] += 1
        if not self.ended.done():
            self.ended.set_result(None)


def _is_whole(read: bytes) -> bool:
    end = read.find(_head_end)
    if end < 0:
        return False
    _, separator, rest = read[:end].lower().partition(_length_name)
    length = int(rest.partition(b"\r\n")[0]) if separator else 0
    return len(read) >= end + len(_head_end) + length


if __name__ == "__main__":
    main()
