"""Stops and starts a store of a running `zcc up`, so that an outage can be rehearsed.

`zcc up` listens on a Unix socket; `zcc rehearse` sends one line, such as
``stop kafka``, and gets one line back: ``ok``, or what is wrong.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from devstack import ALL_PARTS, DevstackError, Stack
from operations.local.rehearsed_actions import RehearsedAction
from runtime.errors import ConfigurationError, TransientError

socket_variable: Final = "ZCC_UP_SOCKET"
"""Names the socket of the running stack; the file of settings that `zcc up` writes sets it."""

_line_timeout_s: Final = 5.0
_answer_timeout_s: Final = 120.0
"""Kafka may take a minute to start on a busy machine."""


@asynccontextmanager
async def accepting(stack: Stack) -> AsyncIterator[Path]:
    """Serve the requests of `rehearse`; yield the path of the socket.

    It lies in a folder of its own, as the path of a socket may have no more than 107 bytes.
    """
    folder = Path(tempfile.mkdtemp(prefix="zcc-up-"))
    path = folder / "socket"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_line_timeout_s):
                line = await reader.readline()
            writer.write(f"{await _act(stack, line.decode())}\n".encode())
            await writer.drain()
        except (TimeoutError, ConnectionError):
            pass  # nobody waits for the answer any more
        finally:
            writer.close()

    server = await asyncio.start_unix_server(answer, path)
    try:
        yield path
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _act(stack: Stack, line: str) -> str:
    match line.split():
        case [RehearsedAction.STOP, part] if part in ALL_PARTS:
            action = stack.stop(part)
        case [RehearsedAction.KILL, part] if part in ALL_PARTS:
            action = stack.kill(part)
        case [RehearsedAction.START, part] if part in ALL_PARTS:
            action = stack.start(part)
        case _:
            return f"expected stop, kill or start and one of {', '.join(sorted(ALL_PARTS))}"
    try:
        await action
    except DevstackError as error:
        return str(error)
    return "ok"


def run(action: RehearsedAction, part: str, *, socket: str) -> None:
    """See `rehearse`."""
    asyncio.run(rehearse(action, part, socket=socket))


async def rehearse(action: RehearsedAction, part: str, *, socket: str) -> None:
    """Send an action to the running stack and wait until it is done.

    Raises:
        ConfigurationError: no `zcc up` runs behind the socket.
        TransientError: it could not be done; with the reason.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise ConfigurationError(
            f"no running `zcc up` answers at {socket or 'the path in ' + socket_variable}: start "
            f"one, and load the file of settings that it prints"
        ) from error
    try:
        writer.write(f"{action.value} {part}\n".encode())
        async with asyncio.timeout(_answer_timeout_s):
            response = (await reader.readline()).decode().strip()
    except (OSError, TimeoutError) as error:
        raise TransientError(f"{action.value} {part}: no answer from `zcc up`") from error
    finally:
        writer.close()
    if response != "ok":
        raise TransientError(f"{action.value} {part}: {response or 'zcc up has ended'}")
