"""Opens the object store of a URL, by obstore: S3, Google Cloud Storage, Azure or a folder."""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store

from runtime.errors import ConfigurationError
from sinks.object_storage.settings import ObjectStorageSettings

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import AzureConfig, ClientConfig, S3Config


_forbidden_bits: Final = 0o027
"""Leaves 0640 of a new file, 0750 of a new folder: only owner and group may read personal data."""


def protect_new_files() -> None:
    """Hide all future files of this process from other users, from their creation on.

    The library sets no modes on files, but the process's umask applies to it. A stricter umask
    stays in force.
    """
    os.umask(os.umask(_forbidden_bits) | _forbidden_bits)


def open_store(settings: ObjectStorageSettings) -> ObjectStore:
    """Return the store, with paths relative to the URL's prefix. It contacts no server.

    Raises:
        ConfigurationError: the folder cannot be created.
    """
    scheme, _, rest = settings.url.partition("://")
    bucket, _, prefix = rest.partition("/")
    client: ClientConfig = {"timeout": timedelta(seconds=settings.request_timeout_s)}
    match scheme:
        case "file":
            return _folder(Path("/") / rest.lstrip("/"))
        case "gs":
            return GCSStore(bucket, prefix=prefix or None, client_options=client)
        case "az":
            return AzureStore(
                bucket, prefix=prefix or None, config=_azure(settings), client_options=client
            )
        case _:
            client["allow_http"] = settings.endpoint.startswith("http://")
            return S3Store(
                bucket, prefix=prefix or None, config=_s3(settings), client_options=client
            )


def _folder(path: Path) -> LocalStore:
    try:
        return LocalStore(path, mkdir=True)
    except (OSError, BaseError) as error:
        raise ConfigurationError(
            f"ZCC_OBJECT_STORAGE_URL: the folder {path} cannot be made: {type(error).__name__}; "
            "name a folder that this user may write to, or a bucket"
        ) from error


def _azure(settings: ObjectStorageSettings) -> "AzureConfig":
    config: AzureConfig = {}
    if settings.access_key_id:
        config["account_name"] = settings.access_key_id
        config["account_key"] = settings.secret_access_key.get_secret_value()
    return config


def _s3(settings: ObjectStorageSettings) -> "S3Config":
    config: S3Config = {"region": settings.region}
    if settings.access_key_id:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    return config
