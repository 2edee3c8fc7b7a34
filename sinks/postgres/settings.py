"""Settings of the Postgres sink."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.lazy import load_function
from runtime.settings_fields import PseudonymKey
from sinks.postgres.model.tables import Personal
from sinks.postgres.privacy.pseudonyms import PersonalData, Redaction
from sinks.postgres.privacy.retention_classes import RetentionClass


class PostgresSettings(BaseSettings):
    """Which database takes the events, and how long it may take to do so."""

    model_config = SettingsConfigDict(env_prefix="ZCC_POSTGRES_", frozen=True, extra="ignore")

    dsn: SecretStr = Field(
        description="Database as a libpq URL: postgresql://user:password@host:port/database"
    )
    owner_dsn: SecretStr | None = Field(
        default=None,
        description=(
            "The same database for the login that owns the tables, for `zcc migrate`, `retention`, "
            "`erase` and `offsets`; none: ZCC_POSTGRES_DSN. The sink does not use it"
        ),
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
    projections: bool = Field(
        default=True, description="Whether the model is filled too; off: raw events only"
    )
    transaction_pooling: bool = Field(
        default=False,
        description=(
            "Whether a pooler in between gives each transaction another session, as PgBouncer does "
            "with pool_mode=transaction. The sink then uses no staging tables and no prepared "
            "statements, which costs the database about a fifth more work"
        ),
    )
    partitions_ahead: int = Field(
        default=2,
        ge=0,
        le=60,
        description=(
            "Partitions made before their month, or day, begins; `zcc migrate --partition-by` "
            "decides which"
        ),
    )
    personal_data: Mapping[Personal, Redaction] = Field(
        default={},
        description=(
            "Treatment of personal data by class: keep, pseudonymise or drop, as JSON, e.g. "
            '{"phone": "pseudonymise", "free_text": "drop"}; other classes are kept'
        ),
    )
    pseudonym_key: PseudonymKey | None = Field(
        default=None,
        description=(
            "Secret from which pseudonyms follow, 16 bytes or more; another key gives other "
            "pseudonyms. `zcc erase` needs it to find them"
        ),
    )
    retention_raw_days: int | None = Field(
        default=None,
        ge=1,
        description="Days after which `zcc retention` removes raw events; none: never",
    )
    retention_timeline_days: int | None = Field(
        default=None, ge=1, description="The same for the timeline of engagements"
    )
    retention_conversation_days: int | None = Field(
        default=None, ge=1, description="The same for messages and files of conversations"
    )
    retention_history_days: int | None = Field(
        default=None,
        ge=1,
        description=(
            "The same for engagements, tasks, recordings and other past events, by the last event "
            "that changed a row; present entities (users, queues, consent) stay"
        ),
    )

    @field_validator("dsn", "owner_dsn")
    @classmethod
    def _libpq_reads_it(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is None:
            return None
        # Each part knows the names of all settings; only what uses Postgres loads its client.
        if not load_function("sinks.postgres.conninfo:is_conninfo")(dsn.get_secret_value()):
            raise ValueError("expected postgresql://user:password@host:port/database")
        return dsn

    @model_validator(mode="after")
    def _pseudonyms_have_a_key(self) -> "PostgresSettings":
        if "document" in self.personal_data:
            raise ValueError(
                "ZCC_POSTGRES_PERSONAL_DATA: a document is treated by the classes of its members"
            )
        if "pseudonymise" in self.personal_data.values() and self.pseudonym_key is None:
            raise ValueError("ZCC_POSTGRES_PERSONAL_DATA needs ZCC_POSTGRES_PSEUDONYM_KEY")
        return self

    @property
    def owner(self) -> str:
        """The login of the database's owner."""
        return (self.owner_dsn or self.dsn).get_secret_value()

    @property
    def retention_days(self) -> Mapping[RetentionClass, int]:
        """The days after which rows of each class expire; rows of other classes never do."""
        days: Mapping[RetentionClass, int | None] = {
            "raw": self.retention_raw_days,
            "timeline": self.retention_timeline_days,
            "conversation": self.retention_conversation_days,
            "history": self.retention_history_days,
        }
        return {class_: count for class_, count in days.items() if count is not None}

    @property
    def redaction(self) -> PersonalData:
        """The policy for personal data."""
        return PersonalData(self.personal_data, self.key)

    @property
    def key(self) -> bytes:
        """The key of pseudonyms; empty without one."""
        return self.pseudonym_key.get_secret_value().encode() if self.pseudonym_key else b""

    @model_validator(mode="after")
    def _a_statement_fits_into_a_write(self) -> "PostgresSettings":
        if self.write_timeout_s <= self.statement_timeout_s:
            raise ValueError(
                "ZCC_POSTGRES_WRITE_TIMEOUT_S must be longer than ZCC_POSTGRES_STATEMENT_TIMEOUT_S"
            )
        return self
