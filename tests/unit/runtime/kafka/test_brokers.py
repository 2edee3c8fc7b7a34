"""A client goes on only once it knows a broker to turn to."""

import asyncio
from collections.abc import Collection

import pytest

from runtime.kafka.connection import know_brokers
from tests.support.patience import HANG_GUARD_S

_none_at_first = 3


class StartingCluster:
    """The library's client whose broker names none, itself included, for a while."""

    def __init__(self, *, named_after: int | None) -> None:
        self.cluster = self
        self.update_count = 0
        self._named_after = named_after

    def brokers(self) -> Collection[int]:
        named = self._named_after is not None and self.update_count >= self._named_after
        return {1} if named else set()

    async def force_metadata_update(self) -> bool:
        self.update_count += 1
        return False


async def test_metadata_is_requested_until_it_names_a_broker() -> None:
    client = StartingCluster(named_after=_none_at_first)
    async with asyncio.timeout(HANG_GUARD_S):
        await know_brokers(client)
    assert client.update_count == _none_at_first


async def test_a_client_that_knows_a_broker_asks_nothing() -> None:
    client = StartingCluster(named_after=0)
    await know_brokers(client)
    assert client.update_count == 0


async def test_the_caller_limits_the_time_of_asking() -> None:
    client = StartingCluster(named_after=None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await know_brokers(client)
