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
from tests.support.spill import Broker, Fates, HurriedClock, figure, record, until
from tests.support.stack import RealStack


@pytest.fixture
def s3(stack: RealStack, object_store_prefix: str) -> SpillSettings:
    return SpillSettings(
        url=f"s3://{stack.s3_bucket}/{object_store_prefix}",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr(stack.s3_secret_key),
        deadline_s=2.9,
    )


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
        fates = Fates(spill)
        fates.keep(*(record(str(number)) for number in range(100)))
        assert set(await fates.all_told(100)) == {None}
        assert len(await open_stores(s3).waiting.sizes()) == 1
        broker.ready = True
        await until(lambda: len(broker.records) == 100)
        await until(lambda: figure("zcc_spill_waiting_segments") == 0)
    assert broker.records == [record(str(number)) for number in range(100)]
    assert await open_stores(s3).waiting.sizes() == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "s3://no-such-bucket/spill"}, "no such bucket"),
        ({"secret_access_key": SecretStr("wrong")}, "refuses"),
    ],
    ids=["bucket", "key"],
)
async def test_a_bucket_that_refuses_stops_the_start(
    s3: SpillSettings, change: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"ZCC_SPILL_URL.*{said}"):
        async with spill_of(s3.model_copy(update=change), Broker()):
            pass


async def test_storage_that_hangs_is_told_in_time_and_does_not_stop_the_start(
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
        fates = Fates(spill)
        fates.keep(record("1"))
        (error,) = await fates.all_told(1)
        assert isinstance(error, TransientError)


async def test_storage_that_is_away_is_the_worlds_fault() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # nobody listens
        settings = SpillSettings(
            url="s3://bucket/spill",
            endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}",
            access_key_id="key",
            secret_access_key=SecretStr("secret"),
            deadline_s=0.1,
        )
        with pytest.raises(TransientError, match="does not answer"):
            await open_stores(settings).waiting.put("name", b"content")
