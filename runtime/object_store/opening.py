"""Opens the store of a URL: S3, Google Cloud Storage, Azure or a folder. It contacts no server."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from runtime.errors import ConfigurationError
from runtime.object_store.settings import BucketLocation, FolderLocation, ObjectStoreSettings

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import AzureConfig, ClientConfig, S3Config

Client = AzureStore | GCSStore | LocalStore | S3Store
"""A store of obstore."""


def open_client(settings: ObjectStoreSettings, *, request_timeout_s: float, folder: str) -> Client:
    """Return the store, with paths relative to ``folder`` below the URL.

    Raises:
        ConfigurationError: the folder cannot be created, the prefix is no path, or the bucket's
            settings contradict.
    """
    match settings.location:
        case FolderLocation(path):
            return _folder(path / folder, settings.url_variable)
        case BucketLocation() as location:
            try:
                return _bucket(settings, location, timeout_s=request_timeout_s, folder=folder)
            except (BaseError, ValueError) as error:  # ValueError: `a//b` or `a/../b` as a prefix
                raise ConfigurationError(
                    f"{settings.url_variable}: its store cannot be opened: check it and the keys; "
                    "a prefix has no empty part and no dots alone, and az:// needs an account"
                ) from error
        case _ as never:
            assert_never(never)


def _folder(path: Path, url_variable: str) -> LocalStore:
    try:
        return LocalStore(path, mkdir=True)
    except (OSError, BaseError) as error:
        raise ConfigurationError(
            f"{url_variable}: the folder {path} cannot be made: {type(error).__name__}; "
            "name a folder that this user may write to, or a bucket"
        ) from error


def _bucket(
    settings: ObjectStoreSettings, location: BucketLocation, *, timeout_s: float, folder: str
) -> Client:
    bucket = location.bucket
    prefix = "/".join(part for part in (location.prefix, folder) if part) or None
    client: ClientConfig = {"timeout": timedelta(seconds=timeout_s)}
    match location.scheme:
        case "gs":
            return GCSStore(bucket, prefix=prefix, client_options=client)
        case "az":
            return AzureStore(bucket, prefix=prefix, config=_azure(settings), client_options=client)
        case "s3":
            client["allow_http"] = settings.endpoint.lower().startswith("http://")
            return S3Store(bucket, prefix=prefix, config=_s3(settings), client_options=client)
        case _ as never:
            assert_never(never)


def _azure(settings: ObjectStoreSettings) -> "AzureConfig":
    config: AzureConfig = {}
    if settings.access_key_id:
        config["account_name"] = settings.access_key_id
        config["account_key"] = settings.secret_access_key.get_secret_value()
    return config


def _s3(settings: ObjectStoreSettings) -> "S3Config":
    config: S3Config = {"region": settings.region}
    if settings.access_key_id:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    return config
