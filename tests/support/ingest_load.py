"""Load on running instances of ingest, sent as a balancer in front would send it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import orjson

from tests.support.ingest_server import read_answer, request, signed
from tests.support.patience import HANG_GUARD_S

clients = 8
pause_s = 0.01
answer_timeout_s = HANG_GUARD_S


class Client:
    """Sends as a balancer in front does: to the next instance where one does not take a request."""

    def __init__(self, number: int, instances: Sequence[int], secret: Callable[[], str]) -> None:
        self._number = number
        self._secret = secret
        self._instances = list(instances)
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.answered: dict[bytes, int] = {}

    async def run(self, done: asyncio.Event) -> None:
        """Send one event after the other until ``done``."""
        while not done.is_set():
            body = self._next_body()
            self.answered[body] = await self._send(body)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await done.wait()
        self._leave()

    def _next_body(self) -> bytes:
        ordinal = len(self.answered) * clients + self._number
        return orjson.dumps(
            {
                "event": "contact_center.engagement_started",
                "event_ts": 1_751_364_000_000 + ordinal,
                "payload": {"account_id": "a", "object": {"engagement_id": f"e{ordinal}"}},
            }
        )

    async def _send(self, body: bytes) -> int:
        async with asyncio.timeout(answer_timeout_s):
            while True:
                try:
                    return await self._try(body)
                except asyncio.IncompleteReadError as error:
                    if error.partial:  # half an answer is worse than none
                        raise
                    self._leave()
                except ConnectionError:
                    self._leave()
                    await asyncio.sleep(pause_s)  # clients that spin would starve who starts

    async def _try(self, body: bytes) -> int:
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._instances[0])
        reader, writer = self._connection
        writer.write(request(body, headers=signed(body, secret=self._secret())))
        answer = await read_answer(reader)
        if answer.headers.get("connection") == "close":
            self._leave()
        return answer.status

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None
        self._instances.append(self._instances.pop(0))


@asynccontextmanager
async def load(
    instances: Sequence[int], secret: Callable[[], str] = lambda: "the-newest-secret"
) -> AsyncIterator[list[Client]]:
    """Send during the block, half of the clients first to either instance."""
    done = asyncio.Event()
    sending = [Client(n, instances if n % 2 else instances[::-1], secret) for n in range(clients)]
    async with asyncio.TaskGroup() as tasks:
        for client in sending:
            tasks.create_task(client.run(done))
        yield sending
        done.set()


async def until_sent(sending: Sequence[Client], more: int) -> None:
    """Wait until so many more requests are answered."""
    wanted = sum(len(client.answered) for client in sending) + more
    async with asyncio.timeout(HANG_GUARD_S):
        while sum(len(client.answered) for client in sending) < wanted:
            await asyncio.sleep(0.02)


def answers(sending: Sequence[Client]) -> dict[bytes, int]:
    """Return the status that each body was answered with."""
    return {body: status for client in sending for body, status in client.answered.items()}


def kept(sending: Sequence[Client]) -> set[bytes]:
    """Return the bodies that were answered 204."""
    return {body for body, status in answers(sending).items() if status == HTTPStatus.NO_CONTENT}
