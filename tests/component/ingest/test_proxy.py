"""nginx in front, which keeps idle connections: no request may meet one that ingest is closing."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    numbered,
    read_response,
    request,
    running,
    signed,
)
from tests.support.patience import HANG_GUARD_S

nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
clients = 60
posts = 3
keep_alive_s = 1
"""Of ingest; the posts of a client come about so long apart, as a busy minute does."""

configuration = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream ingest {{
    server 127.0.0.1:{ingest}; keepalive 400; keepalive_timeout {kept}; keepalive_requests 10000;
  }}
  server {{
    listen 127.0.0.1:{port}; keepalive_timeout 120s;
    location / {{
      proxy_pass http://ingest; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


@asynccontextmanager
async def proxy(folder: Path, *, ingest: int, port: int, kept: str) -> AsyncIterator[Server]:
    """Run nginx; ``kept`` is how long it keeps an idle connection to ingest."""
    assert nginx is not None
    file = folder / "nginx.conf"
    file.write_text(configuration.format(folder=folder, ingest=ingest, port=port, kept=kept))
    child = await asyncio.create_subprocess_exec(nginx, "-p", str(folder), "-c", str(file))
    try:
        async with asyncio.timeout(HANG_GUARD_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    break
        yield Server(port)
    finally:
        child.terminate()
        await child.wait()


async def statuses_through(front: Server) -> Counter[int]:
    """Send a few posts from each client, about as far apart as ingest keeps connections."""
    statuses: Counter[int] = Counter()

    async def one(number: int) -> None:
        async with front.connection() as (reader, writer):
            for turn in range(posts):
                body = numbered(number * posts + turn)
                writer.write(request(body, headers=signed(body)))
                statuses[(await read_response(reader)).status] += 1
                # ingest looks ten times a second for what has been idle for too long
                await asyncio.sleep(keep_alive_s + 0.1 * number / clients)

    await asyncio.gather(*(one(number) for number in range(clients)))
    return statuses


@pytest.mark.skipif(nginx is None, reason="nginx is not installed")
async def test_no_post_is_502_where_ingest_keeps_connections_longer_than_the_proxy(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with running(MemoryPublisher(), keep_alive_s=keep_alive_s) as server:
        async with proxy(tmp_path, ingest=server.port, port=unused_tcp_port, kept="60s") as front:
            async with asyncio.timeout(HANG_GUARD_S):
                while not (await statuses_through(front))[502]:
                    pass  # the fault, which needs both ends to meet within a millisecond
        async with proxy(tmp_path, ingest=server.port, port=unused_tcp_port, kept="500ms") as front:
            assert await statuses_through(front) == {204: clients * posts}
