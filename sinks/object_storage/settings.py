"""Settings of the object storage sink."""

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sinks.object_storage.rotation import Rotation

schemes = ("s3", "gs", "az", "file")


class ObjectStorageSettings(BaseSettings):
    """Where Parquet objects go and when one is closed."""

    model_config = SettingsConfigDict(env_prefix="ZCC_OBJECT_STORAGE_", frozen=True, extra="ignore")

    url: str = Field(
        default="file:///var/lib/zcc/events",
        description="s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder",
    )
    endpoint: str = Field(
        default="", description="URL of an S3-compatible server; empty for the cloud's own"
    )
    region: str = Field(default="us-east-1", description="Region of an S3 bucket")
    access_key_id: str = Field(
        default="", description="S3 key or Azure account; empty = the machine's identity"
    )
    secret_access_key: SecretStr = Field(
        default=SecretStr(""), description="Secret of the S3 key or Azure account"
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

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if scheme not in schemes or not separator or not rest.strip("/"):
            raise ValueError(f"expected one of {', '.join(f'{s}://…' for s in schemes)}")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> "ObjectStorageSettings":
        if bool(self.access_key_id) != bool(self.secret_access_key.get_secret_value()):
            raise ValueError(
                "set both ZCC_OBJECT_STORAGE_ACCESS_KEY_ID and "
                "ZCC_OBJECT_STORAGE_SECRET_ACCESS_KEY, or neither"
            )
        return self
