"""The spill on object storage that refuses, is away, or hangs."""

import socket
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from pydantic import SecretStr

from ingest.spill.service import spilling
from ingest.spill.settings import SpillSettings
from ingest.spill.spill import Spill
from ingest.spill.store import open_stores
from runtime.errors import ConfigurationError, TransientError
from tests.support.objects import s3_values
from tests.support.spill import Broker, HurriedClock, Outcomes, figure, record, until
from tests.support.stack import RealStack


@pytest.fixture
def s3(stack: RealStack, object_store_prefix: str) -> SpillSettings:
    return SpillSettings(**s3_values(stack, object_store_prefix, deadline_s=2.9))


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def spill_of(settings: SpillSettings, broker: Broker) -> AbstractAsyncContextManager[Spill | None]:
    return spilling(
        settings, instance="pod-0", produce_deadline_s=0.05, publisher=broker, clock=HurriedClock()
    )


async def test_what_is_kept_in_a_bucket_is_produced_and_goes(s3: SpillSettings) -> None:
    broker = Broker(ready=False)
    async with spill_of(s3, broker) as spill:
        assert spill is not None
        outcomes = Outcomes(spill)
        outcomes.store(*(record(str(number)) for number in range(100)))
        assert set(await outcomes.all_settled(100)) == {None}
        assert len(await open_stores(s3).waiting.sizes()) == 1
        broker.ready = True
        await until(lambda: len(broker.records) == 100)
        await until(lambda: figure("zcc_spill_waiting_segments") == 0)
    assert broker.records == [record(str(number)) for number in range(100)]
    assert await open_stores(s3).waiting.sizes() == {}


async def test_a_bucket_that_refuses_stops_the_start(s3: SpillSettings) -> None:
    refused = s3.model_copy(update={"secret_access_key": SecretStr("wrong")})
    with pytest.raises(ConfigurationError, match=r"ZCC_SPILL_URL.*refuses"):
        async with spill_of(refused, Broker()):
            pass


async def test_storage_that_hangs_is_reported_in_time_and_does_not_stop_the_start(
    silent_server: str,
) -> None:
    settings = SpillSettings(
        url="s3://bucket/spill",
        endpoint=silent_server,
        access_key_id="key",
        secret_access_key=SecretStr("secret"),
        deadline_s=0.1,
    )
    async with spill_of(settings, Broker()) as spill:
        assert spill is not None
        assert not spill.ready
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        (error,) = await outcomes.all_settled(1)
        assert isinstance(error, TransientError)
