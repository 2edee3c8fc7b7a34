"""Settings of the object storage sink."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.object_store.settings import ObjectStoreSettings, store_url
from sinks.object_storage.rotation import Rotation


class ObjectStorageSettings(ObjectStoreSettings):
    """Where Parquet objects go and when one is closed."""

    model_config = SettingsConfigDict(env_prefix="ZCC_OBJECT_STORAGE_")

    url: Annotated[str, store_url("s3", "gs", "az", "file")] = Field(
        default="file:///var/lib/zcc/events",
        description="s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder",
    )
    rotate_records: int = Field(
        default=50_000, ge=1, description="Records after which an object is closed"
    )
    rotate_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1024,
        description="Bytes of records after which it is closed",
    )
    rotate_age_s: float = Field(
        default=60.0, gt=0, description="Seconds after its first record at which it is closed"
    )
    request_timeout_s: float = Field(
        default=60.0, gt=0, description="Seconds that one request to the store may take"
    )

    @property
    def rotation(self) -> Rotation:
        """When objects are closed."""
        return Rotation(self.rotate_records, self.rotate_bytes, self.rotate_age_s)
