"""A proxy before Postgres: cuts, swallows, refuses; counts the statements that pass."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Counted = Callable[[bytes], None]


class Proxy:
    """Passes bytes on; once armed, cuts all connections instead of passing on what it looks for."""

    def __init__(self, host: str, port: str | None) -> None:
        self._upstream = host, port
        self._open: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self.cut_at: bytes | None = None
        self.refusing = False
        self.statements = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        host, port = self._upstream
        path = f"{host}/.s.PGSQL.{port or 5432}"
        behind, ahead = (
            await asyncio.open_unix_connection(path)
            if host.startswith("/")
            else await asyncio.open_connection(host, int(port or 5432))
        )
        self._open |= {writer, ahead}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(reader, ahead, self._counted()))
            tasks.create_task(self._pass(behind, writer))

    def _counted(self) -> Counted:
        """Count the statements in what a client sends. Source: PostgreSQL, 54.7, formats."""
        unread, typed = b"", 0  # the first message has no type

        def count(content: bytes) -> None:
            nonlocal unread, typed
            unread += content
            while len(unread) >= typed + 4:
                size = typed + int.from_bytes(unread[typed : typed + 4])
                if len(unread) < size:
                    return
                self.statements += typed and unread[:1] in b"QE"
                unread, typed = unread[size:], 1

        return count

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        counted: Counted = lambda _: None,
    ) -> None:
        try:
            while content := await source.read(65536):
                counted(content)
                if self.cut_at is not None and self.cut_at in content:
                    return self.cut()
                if target not in self._silent:
                    target.write(content)
                    await target.drain()
        except OSError:
            pass
        finally:
            target.close()

    def swallow(self) -> None:
        """Pass nothing more on over the connections that are open now."""
        self._silent |= self._open

    def cut(self) -> None:
        self.cut_at = None
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    parts = conninfo_to_dict(dsn)
    proxy = Proxy(str(parts["host"]), parts.get("port"))  # type: ignore[arg-type] # text
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = make_conninfo(
        dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"
    )
    try:
        yield proxy, through
    finally:
        proxy.cut()
        server.close()
        await server.wait_closed()
