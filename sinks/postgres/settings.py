"""Settings of the Postgres sink."""

from typing import Literal

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSettings(BaseSettings):
    """Which database takes the events, and how long it may take to do so."""

    model_config = SettingsConfigDict(env_prefix="ZCC_POSTGRES_", frozen=True, extra="ignore")

    dsn: SecretStr = Field(
        description="Database as a libpq URL: postgresql://user:password@host:port/database"
    )
    connect_timeout_s: int = Field(
        default=5, ge=2, description="Seconds that connecting to one address may take"
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds after which the server ends a statement"
    )
    write_timeout_s: float = Field(
        default=60.0, gt=0, description="Seconds that storing one batch may take"
    )
    synchronous_commit: Literal["on", "off", "local", "remote_write", "remote_apply"] = Field(
        default="on",
        description=(
            "What a commit waits for. off is faster and loses nothing for good: after a crash of "
            "the server, rows and offsets of the last moments are gone together and read again"
        ),
    )
    months_ahead: int = Field(
        default=2, ge=0, le=24, description="Partitions made before their month begins"
    )

    @field_validator("dsn")
    @classmethod
    def _libpq_reads_it(cls, dsn: SecretStr) -> SecretStr:
        try:
            readable = bool(conninfo_to_dict(dsn.get_secret_value()))
        except ProgrammingError:  # its message may repeat the password
            readable = False
        if not readable:
            raise ValueError("expected postgresql://user:password@host:port/database")
        return dsn

    @model_validator(mode="after")
    def _a_statement_fits_into_a_write(self) -> "PostgresSettings":
        if self.write_timeout_s <= self.statement_timeout_s:
            raise ValueError(
                "ZCC_POSTGRES_WRITE_TIMEOUT_S must be longer than ZCC_POSTGRES_STATEMENT_TIMEOUT_S"
            )
        return self
