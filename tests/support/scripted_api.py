"""A client of an API that gives the answers of a script."""

import pytest

from tests.support.fakes.zoom import Answer, ScriptedTransport, VirtualClock, client_with, reply
from zoom.errors import ZoomError, ZoomFault

ann = reply(200, {"user_id": "u1", "display_name": "Ann", "unknown": [1]})
expired = reply(401, {"code": 124})


class ScriptedApi:
    """A client on a transport that answers by a script, in simulated time."""

    def __init__(
        self,
        *script: Answer,
        tokens: list[Answer] | None = None,
        allow_writes: bool = False,
        **settings: object,
    ) -> None:
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(*script, tokens=tokens)
        self.client = client_with(self.transport, self.clock, allow_writes=allow_writes, **settings)

    async def user(self) -> object:
        return await self.client.call("get_user", user_id="u1")

    async def fault_of(self, operation: str = "get_user", **arguments: object) -> ZoomFault:
        with pytest.raises(ZoomError) as caught:
            await self.client.call(operation, **(arguments or {"user_id": "u1"}))
        return caught.value.fault
