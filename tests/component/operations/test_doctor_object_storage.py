"""The doctor asks the object store, names what is wrong with it, and changes nothing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from operations.doctor.checks import CheckResult, check_store
from sinks.object_storage.component import component
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from tests.support.stack import RealStack


def s3(stack: RealStack, prefix: str, **changes: object) -> ObjectStorageSettings:
    right = {
        "url": f"s3://{stack.s3_bucket}/{prefix}",
        "endpoint": stack.s3_endpoint,
        "access_key_id": stack.s3_access_key,
        "secret_access_key": SecretStr(stack.s3_secret_key),
        "request_timeout_s": 5,
    }
    return ObjectStorageSettings(**{**right, **changes})


async def test_a_bucket_is_well_before_and_after_the_first_start_of_a_sink(
    stack: RealStack, object_store_prefix: str
) -> None:
    settings = s3(stack, object_store_prefix)
    fresh = CheckResult("object storage", "ok", "it answers; nothing was written there yet")
    assert await check_store(component, settings) == fresh
    assert await check_store(component, settings) == fresh  # the look has left nothing behind
    async with ObjectStorageSink(settings):
        pass
    assert await check_store(component, settings) == CheckResult(
        "object storage", "ok", "it answers; a sink has written there"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "s3://no-such-bucket/events"}, "does not know the bucket"),
        ({"secret_access_key": SecretStr("another")}, "object storage refuses"),
        ({"endpoint": "http://127.0.0.1:9", "request_timeout_s": 1}, "does not answer"),
    ],
    ids=["bucket", "key", "away"],
)
async def test_what_is_wrong_with_a_bucket_is_said(
    stack: RealStack, object_store_prefix: str, changes: dict[str, object], said: str
) -> None:
    found = await check_store(component, s3(stack, object_store_prefix, **changes))
    assert found.state == "wrong"
    assert said in found.text


async def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    found = await check_store(component, ObjectStorageSettings(url=f"file://{folder}"))
    assert found.state == "ok"
    assert not folder.exists()
