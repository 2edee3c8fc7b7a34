"""Accounts over a fake of each account's transport, and their file, one reading at a time."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import REGISTRY

from runtime.member_share import MemberShare, sole_member
from tests.support.fakes.zoom import VirtualClock, reply, token_reply
from tests.support.patience import HANG_GUARD_S
from zoom.accounts import Accounts, poll_interval_s
from zoom.messages import ApiResponse, Request
from zoom.settings import ZoomSettings


class ReadingClock(VirtualClock):
    """Virtual time, but the file is read when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep = asyncio.Event()
        self._awake = asyncio.Event()

    async def sleep(self, delay_s: float) -> None:
        if delay_s != poll_interval_s:
            await super().sleep(delay_s)
            return
        self._asleep.set()
        await self._awake.wait()
        self._awake.clear()

    async def read(self) -> None:
        """Let the file be read once."""
        async with asyncio.timeout(HANG_GUARD_S):
            await self._asleep.wait()
            self._asleep.clear()
            self._awake.set()
            await self._asleep.wait()


class AccountTransport:
    """Answers each login with a token and each call with a user; a call may be held back.

    Credentials in ``refused`` get no token. ``calls_s`` is when each call came.
    """

    def __init__(self, refused: set[str], clock: VirtualClock) -> None:
        self._refused = refused
        self._clock = clock
        self.calls_s: list[float] = []
        self.logins: list[str] = []
        self.tokens: list[str] = []
        self.is_open = True
        self.answers = asyncio.Event()
        self.answers.set()
        self.has_call = asyncio.Event()

    async def send(self, request: Request) -> ApiResponse:
        assert self.is_open
        if request.form:
            login = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
            self.logins.append(login)
            if login in self._refused:
                return reply(400, {"error": "invalid_client"})
            return token_reply(f"token-{len(self.logins)}-of-{dict(request.form)['account_id']}")
        self.calls_s.append(self._clock.monotonic_s())
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        self.has_call.set()
        await self.answers.wait()
        assert self.is_open
        return reply(200, {"user_id": "u"})


class Rig:
    """Accounts, and the transports that were opened for each of them."""

    def __init__(
        self,
        settings: ZoomSettings,
        *,
        member_share: MemberShare | None = sole_member,
        budget_part: float = 1.0,
    ) -> None:
        self.clock = ReadingClock()
        self.refused: set[str] = set()
        self.transports: dict[str, list[AccountTransport]] = {}
        self.accounts = Accounts(
            settings,
            clock=self.clock,
            member_share=member_share,
            budget_part=budget_part,
            open_transport=self._opened,
        )

    @asynccontextmanager
    async def _opened(self, settings: ZoomSettings) -> AsyncIterator[AccountTransport]:
        transport = AccountTransport(self.refused, self.clock)
        self.transports.setdefault(settings.account_id, []).append(transport)
        try:
            yield transport
        finally:
            transport.is_open = False

    def transport(self, account_id: str) -> AccountTransport:
        """Return the latest transport of an account."""
        return self.transports[account_id][-1]

    async def call(self, account_id: str) -> object:
        """Call an operation with the label LIGHT."""
        client = self.accounts.client(account_id)
        assert client is not None
        return await client.call("get_user", user_id="u")


@asynccontextmanager
async def accounts_of(
    settings: ZoomSettings,
    *,
    member_share: MemberShare | None = sole_member,
    budget_part: float = 1.0,
) -> AsyncIterator[Rig]:
    """Open accounts."""
    rig = Rig(settings, member_share=member_share, budget_part=budget_part)
    async with rig.accounts:
        yield rig


def entry(account_id: str, **members: object) -> dict[str, object]:
    """Return an entry whose client has the name of its account."""
    common = {"account_id": account_id, "client_id": f"client-of-{account_id}"}
    return {**common, "client_secret": "first-secret", "share": 1, **members}


def write(file: Path, *entries: Mapping[str, object]) -> None:
    """Replace the list."""
    file.write_text(json.dumps(entries))


def write_text(file: Path, text: str) -> None:
    """Replace the list by any text."""
    file.write_text(text)


def figure(name: str, **labels: str) -> float | None:
    """Return the value of a series, None where there is none."""
    return REGISTRY.get_sample_value(name, labels)
