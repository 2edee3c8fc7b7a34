"""Which stores can be opened; no server is contacted."""

from typing import Annotated

import pytest
from obstore.store import S3Store
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError
from runtime.object_store.opening import open_client
from runtime.object_store.settings import ObjectStoreSettings, store_url


class ExampleSettings(ObjectStoreSettings):
    model_config = SettingsConfigDict(env_prefix="ZCC_EXAMPLE_")

    url: Annotated[str, store_url("s3", "gs", "az", "file")]


def opened(settings: ExampleSettings, folder: str = "waiting") -> S3Store:
    client = open_client(settings, request_timeout_s=1, folder=folder)
    assert isinstance(client, S3Store)
    return client


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("s3://bucket", "waiting"),
        ("s3://bucket/", "waiting"),
        ("s3://bucket/a/b/", "a/b/waiting"),
        ("s3://bucket/a b%20/é", "a b%20/é/waiting"),
    ],
)
def test_a_folder_is_below_the_prefix_as_it_is_written(url: str, prefix: str) -> None:
    assert opened(ExampleSettings(url=url)).prefix == prefix
    assert opened(ExampleSettings(url="s3://bucket"), folder="").prefix is None


@pytest.mark.parametrize("prefix", ["a//b", "a/../b", "./a", ".."])
def test_a_prefix_that_is_no_path_is_the_operators_fault(prefix: str) -> None:
    settings = ExampleSettings(url=f"s3://bucket/{prefix}")
    with pytest.raises(ConfigurationError, match=r"ZCC_EXAMPLE_URL: .* a prefix has no empty part"):
        opened(settings)


@pytest.mark.parametrize(
    ("endpoint", "plain"), [("http://h", True), ("HTTP://h", True), ("https://h", False)]
)
def test_an_endpoint_without_tls_is_used_as_such(endpoint: str, *, plain: bool) -> None:
    options = opened(ExampleSettings(url="s3://bucket", endpoint=endpoint)).client_options
    assert options is not None
    assert str(options["allow_http"]).lower() == str(plain).lower()
