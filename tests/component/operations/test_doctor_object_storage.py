"""The doctor asks the object store, names what is wrong with it, and changes nothing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from operations.doctor.checks import CheckResult, check_store
from sinks.object_storage.component import component
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from tests.support.objects import s3_values
from tests.support.stack import RealStack


def s3(stack: RealStack, prefix: str, **changes: object) -> ObjectStorageSettings:
    return ObjectStorageSettings(**s3_values(stack, prefix, **{"request_timeout_s": 5, **changes}))


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
    ("changes", "expected"),
    [
        ({"url": "s3://no-such-bucket/events"}, "ZCC_OBJECT_STORAGE_URL: there is no such bucket"),
        ({"secret_access_key": SecretStr("another")}, "object storage refuses"),
        ({"endpoint": "http://127.0.0.1:9", "request_timeout_s": 1}, "does not answer"),
    ],
    ids=["bucket", "key", "away"],
)
async def test_what_is_wrong_with_a_bucket_is_reported(
    stack: RealStack, object_store_prefix: str, changes: dict[str, object], expected: str
) -> None:
    finding = await check_store(component, s3(stack, object_store_prefix, **changes))
    assert finding.state == "wrong"
    assert expected in finding.text


async def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    finding = await check_store(component, ObjectStorageSettings(url=f"file://{folder}"))
    assert finding.state == "ok"
    assert not folder.exists()
