"""Settings that every user of an object store has: its URL and its credentials."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self, cast

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.settings_fields import HttpUrl

BucketScheme = Literal["s3", "gs", "az"]
Scheme = Literal[BucketScheme, "file"]

_forms: Final[dict[Scheme, str]] = {
    "s3": "s3://bucket/prefix",
    "gs": "gs://bucket/prefix",
    "az": "az://container/prefix",
    "file": "file:///folder",
}
_url: Final = re.compile(r"(s3|gs|az)://[^/].*|file:///+[^/].*")


@dataclass(frozen=True, slots=True)
class FolderLocation:
    """A folder of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """A prefix in a bucket, which Azure calls a container. The prefix may be empty."""

    scheme: BucketScheme
    bucket: str
    prefix: str


def store_url(*schemes: Scheme, optional: bool = False) -> AfterValidator:
    """Return a validator that accepts URLs of these schemes, and no URL where it is ``optional``.

    It removes slashes from the end.
    """
    forms = [_forms[scheme] for scheme in schemes] + ["nothing"] * optional

    def validate(url: str) -> str:
        is_known = url.partition("://")[0] in schemes and _url.fullmatch(url)
        if not (is_known or (optional and not url)):
            raise ValueError(f"expected {', '.join(forms[:-1])} or {forms[-1]}")
        return url.rstrip("/")

    return AfterValidator(validate)


class ObjectStoreSettings(BaseSettings):
    """Which store, and how to log in. A subclass has the prefix of the variables and the URL."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    url: str
    endpoint: HttpUrl = Field(
        default="", description="URL of an S3-compatible server; empty for the cloud's own"
    )
    region: str = Field(default="us-east-1", description="Region of an S3 bucket")
    access_key_id: str = Field(
        default="", description="S3 key, or the account for az://; empty = the machine's identity"
    )
    secret_access_key: SecretStr = Field(
        default=SecretStr(""), description="Secret of the S3 key, or the key of that account"
    )

    @property
    def url_variable(self) -> str:
        """The environment variable of the URL, which messages name."""
        return self._variable("url")

    @property
    def location(self) -> FolderLocation | BucketLocation:
        """What the URL names."""
        scheme, _, rest = self.url.partition("://")
        if scheme == "file":
            return FolderLocation(Path("/") / rest.lstrip("/"))
        bucket, _, prefix = rest.partition("/")
        return BucketLocation(cast("BucketScheme", scheme), bucket, prefix)  # see `store_url`

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> Self:
        if bool(self.access_key_id) != bool(self.secret_access_key.get_secret_value()):
            key, secret = self._variable("access_key_id"), self._variable("secret_access_key")
            raise ValueError(f"set both {key} and {secret}, or neither")
        return self

    def _variable(self, field: str) -> str:
        return f"{self.model_config['env_prefix']}{field}".upper()
