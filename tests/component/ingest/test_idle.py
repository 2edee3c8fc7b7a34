"""Ten thousand connections on which nothing is sent, held against one real process."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from runtime.settings import KafkaSettings
from tests.support.ingest_processes import engagements, make_topics, pod
from tests.support.ingest_server import numbered
from tests.support.patience import HANG_GUARD_S

wanted_count = 10_000
spare_files = 500


@contextmanager
def many_files() -> Iterator[int]:
    """Raise the limit of open files for this process and its children; yield how many to hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = min(wanted_count + spare_files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        yield min(wanted_count, needed - spare_files)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(port: int, count: int, held: ExitStack) -> list[socket.socket]:
    made = []
    for _ in range(count):
        made.append(
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=HANG_GUARD_S))
        )
        made[-1].settimeout(0)
    return made


def is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


async def test_service_goes_on_with_ten_thousand_idle_connections_and_sigterm_ends_them(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    with many_files() as count, ExitStack() as held:
        async with pod(kafka_settings, keep_alive_s="60") as ingest:
            await ingest.until_ready()
            while (await ingest.server.post(numbered(0))).status != 204:
                await asyncio.sleep(0.05)
            idle = await asyncio.to_thread(connect, ingest.port, count, held)
            answers = [(await ingest.server.post(numbered(n))).status for n in range(1, 21)]
            assert all(map(is_open, idle))
            assert answers == [204] * 20
            assert (await ingest.server.get("/healthz")).status == 200
            assert await ingest.stop() == 0
            assert not any(map(is_open, idle))
    assert set(await engagements(kafka_settings)) == {numbered(n) for n in range(21)}
