"""Which store a URL opens, and what a store that cannot be used says."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from runtime.errors import ConfigurationError, TransientError
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from sinks.object_storage.store import open_store
from tests.support.stack import RealStack


async def test_a_server_that_does_not_answer_is_a_passing_fault(unused_tcp_port: int) -> None:
    settings = ObjectStorageSettings(
        url="s3://bucket/prefix",
        endpoint=f"http://127.0.0.1:{unused_tcp_port}",
        access_key_id="a",
        secret_access_key=SecretStr("b"),
        request_timeout_s=0.5,
    )
    with pytest.raises(TransientError, match="does not answer"):
        await ObjectStorageSink(settings).__aenter__()


async def test_a_bucket_that_does_not_exist_is_named_as_a_setting_to_change(
    stack: RealStack,
) -> None:
    settings = ObjectStorageSettings(
        url="s3://no-such-bucket/prefix",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr(stack.s3_secret_key),
    )
    with pytest.raises(ConfigurationError, match="ZCC_OBJECT_STORAGE_URL"):
        await ObjectStorageSink(settings).__aenter__()


async def test_wrong_keys_are_named_as_settings_to_change(stack: RealStack) -> None:
    settings = ObjectStorageSettings(
        url=f"s3://{stack.s3_bucket}/prefix",
        endpoint=stack.s3_endpoint,
        access_key_id=stack.s3_access_key,
        secret_access_key=SecretStr("wrong"),
    )
    with pytest.raises(ConfigurationError, match="keys"):
        await ObjectStorageSink(settings).__aenter__()


@pytest.mark.parametrize("url", ["events", "ftp://host/x", "s3://", "file:///"])
def test_an_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="s3://"):
        ObjectStorageSettings(url=url)


def test_a_key_without_its_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="ZCC_OBJECT_STORAGE_SECRET_ACCESS_KEY"):
        ObjectStorageSettings(access_key_id="a")


@pytest.mark.parametrize(
    ("url", "kind"), [("gs://bucket/p", "GCSStore"), ("az://container/p", "AzureStore")]
)
def test_the_other_clouds_are_opened_by_url(url: str, kind: str) -> None:
    settings = ObjectStorageSettings(
        url=url, access_key_id="account", secret_access_key=SecretStr("c2VjcmV0")
    )
    assert type(open_store(settings)).__name__ == kind


def test_a_folder_that_cannot_be_made_is_named_as_a_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="ZCC_OBJECT_STORAGE_URL"):
        open_store(ObjectStorageSettings(url=f"file://{tmp_path}/file/events"))
