"""Which URLs and credentials of an object store are accepted, and what a URL names."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from runtime.object_store.settings import (
    BucketLocation,
    FolderLocation,
    ObjectStoreSettings,
    store_url,
)


class AnySettings(ObjectStoreSettings):
    model_config = SettingsConfigDict(env_prefix="ZCC_EXAMPLE_")

    url: Annotated[str, store_url("s3", "gs", "az", "file")]


class FewSettings(ObjectStoreSettings):
    model_config = SettingsConfigDict(env_prefix="ZCC_EXAMPLE_")

    url: Annotated[str, store_url("s3", "file", optional=True)]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://bucket", BucketLocation("s3", "bucket", "")),
        ("s3://bucket/a/b/", BucketLocation("s3", "bucket", "a/b")),
        ("gs://bucket/a", BucketLocation("gs", "bucket", "a")),
        ("az://container/a", BucketLocation("az", "container", "a")),
        ("file:///var/lib/zcc/", FolderLocation(Path("/var/lib/zcc"))),
        ("file:////var/lib", FolderLocation(Path("/var/lib"))),
    ],
)
def test_a_url_names_a_bucket_or_a_folder(
    url: str, location: BucketLocation | FolderLocation
) -> None:
    assert AnySettings(url=url).location == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events",
        "/var/lib",
        "ftp://host/x",
        "file://",
        "file:///",
        "file://host/x",
        "s3://",
        "s3:///x",
    ],
)
def test_any_other_url_is_refused_with_the_forms_that_are_accepted(url: str) -> None:
    message = (
        "expected s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"
    )
    with pytest.raises(ValidationError, match=message):
        AnySettings(url=url)


@pytest.mark.parametrize("url", ["gs://bucket/x", "az://container/x"])
def test_a_scheme_that_the_settings_do_not_name_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="expected s3://bucket/prefix, file:///folder or not"):
        FewSettings(url=url)


def test_no_url_is_accepted_where_it_is_optional() -> None:
    assert FewSettings(url="").url == ""


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "minio", "ftp://minio", "http://", "http://m:x"]
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="expected https://host"):
        AnySettings(url="s3://bucket", endpoint=endpoint)


@pytest.mark.parametrize("given", ["access_key_id", "secret_access_key"])
def test_a_key_without_its_secret_is_refused_by_the_variables_names(given: str) -> None:
    message = "set both ZCC_EXAMPLE_ACCESS_KEY_ID and ZCC_EXAMPLE_SECRET_ACCESS_KEY, or neither"
    with pytest.raises(ValidationError, match=message):
        AnySettings.model_validate({"url": "s3://bucket", given: "given"})


def test_settings_name_the_variable_of_their_url() -> None:
    assert AnySettings(url="s3://bucket").url_variable == "ZCC_EXAMPLE_URL"
