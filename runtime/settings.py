"""Settings of Kafka and of workers, from the environment."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.retries.dead_letter_guard import GuardBounds
from runtime.settings_fields import HealthSettings
from schemas.topics import TopicPlan

_segment_days: Final = 7
"""Kafka deletes whole segments and takes up to this long to fill one; its records live longer.

Source: Apache Kafka, topic setting segment.ms.
"""


class KafkaSettings(BaseSettings):
    """How to reach Kafka and how its topics are set up."""

    model_config = SettingsConfigDict(env_prefix="ZCC_KAFKA_", frozen=True, extra="ignore")

    bootstrap_servers: str = Field(
        default="127.0.0.1:9092",
        description="Brokers for the first connection, host:port, comma-separated",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How to talk to the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How to log in, with a SASL protocol"
    )
    sasl_username: str = Field(default="", description="User, with a SASL protocol")
    sasl_password: SecretStr = Field(
        default=SecretStr(""), description="Password, with a SASL protocol"
    )
    ssl_ca_file: Path | None = Field(
        default=None, description="Certificates to trust; the system's where empty"
    )
    ssl_cert_file: Path | None = Field(
        default=None,
        description="Our own certificate and its chain, PEM, where the brokers ask for one (mTLS); "
        "read again when the file changes",
    )
    ssl_key_file: Path | None = Field(
        default=None, description="Key of our own certificate; empty = in ZCC_KAFKA_SSL_CERT_FILE"
    )
    ssl_key_password: SecretStr = Field(
        default=SecretStr(""), description="Password of that key, where it is encrypted"
    )
    topic_prefix: str = Field(
        default="zcc", pattern=r"^[a-z0-9][a-z0-9-]*$", description="First word of all topic names"
    )
    engagement_partitions: int = Field(
        default=12, ge=1, description="Partitions of each topic that is keyed by engagement"
    )
    other_partitions: int = Field(default=6, ge=1, description="Partitions of each other topic")
    replication: int = Field(default=3, ge=1, description="Copies of each topic")
    event_retention_days: int = Field(default=7, ge=1, description="Days that events are kept")
    dead_letter_retention_days: int = Field(
        default=30, ge=1, description="Days that dead letters and quarantine are kept"
    )
    audit_retention_days: int = Field(
        default=400, ge=1, description="Days that the audit of dead letters is kept"
    )

    @model_validator(mode="after")
    def _audit_outlives_dead_letters(self) -> "KafkaSettings":
        if self.audit_retention_days < self.dead_letter_retention_days + _segment_days:
            raise ValueError(
                "ZCC_KAFKA_AUDIT_RETENTION_DAYS must exceed "
                f"ZCC_KAFKA_DEAD_LETTER_RETENTION_DAYS by {_segment_days} or more: what was done "
                "about a dead letter is kept for longer "
                "than the letter itself"
            )
        return self

    @model_validator(mode="after")
    def _login_is_complete(self) -> "KafkaSettings":
        if self.security_protocol.startswith("SASL") and not (
            self.sasl_username and self.sasl_password.get_secret_value()
        ):
            raise ValueError(
                "ZCC_KAFKA_SECURITY_PROTOCOL asks for a login: "
                "set ZCC_KAFKA_SASL_USERNAME and ZCC_KAFKA_SASL_PASSWORD"
            )
        return self

    @model_validator(mode="after")
    def _certificate_is_complete(self) -> "KafkaSettings":
        if self.ssl_cert_file is not None and not self.security_protocol.endswith("SSL"):
            raise ValueError(
                f"ZCC_KAFKA_SSL_CERT_FILE is of no use with ZCC_KAFKA_SECURITY_PROTOCOL "
                f"{self.security_protocol}: expected SSL or SASL_SSL"
            )
        if self.ssl_cert_file is None and (
            self.ssl_key_file is not None or self.ssl_key_password.get_secret_value()
        ):
            raise ValueError(
                "ZCC_KAFKA_SSL_KEY_FILE and ZCC_KAFKA_SSL_KEY_PASSWORD are of a certificate: "
                "set ZCC_KAFKA_SSL_CERT_FILE"
            )
        return self

    @property
    def topic_plan(self) -> TopicPlan:
        """The choices from which the topics follow."""
        return TopicPlan(
            prefix=self.topic_prefix,
            engagement_partitions=self.engagement_partitions,
            other_partitions=self.other_partitions,
            replication=self.replication,
            event_retention_days=self.event_retention_days,
            dead_letter_retention_days=self.dead_letter_retention_days,
            audit_retention_days=self.audit_retention_days,
        )


class WorkerSettings(HealthSettings):
    """Bounds of a worker (a processor or a sink) and where its health is served."""

    model_config = SettingsConfigDict(env_prefix="ZCC_WORKER_", frozen=True, extra="ignore")

    in_flight_records: int = Field(
        default=1000, ge=1, description="Records in processing at the same time"
    )
    in_flight_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Bytes of records in memory"
    )
    concurrency: int = Field(
        default=100,
        ge=1,
        description="Calls of a handler, or fetched pages of a poller, at the same time",
    )
    commit_interval_s: float = Field(default=1.0, gt=0, description="Seconds between commits")
    commit_records: int = Field(
        default=5000,
        ge=1,
        description="Completed records after which a commit does not wait for the interval",
    )
    drain_timeout_s: float = Field(
        default=20.0,
        gt=0,
        description="Seconds that a stopping worker waits for records in processing",
    )
    tables_wait_s: float = Field(
        default=30.0,
        ge=0,
        description="Seconds without a new record after which a worker no longer waits for its "
        "tables in memory and begins without them; it is not ready until they have caught up",
    )
    session_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Seconds without a heartbeat after which Kafka removes a worker from its group",
    )
    instance_id: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,248})?$",
        description="Unique name of this worker in its group: while it restarts within the session "
        "timeout, the other members keep their partitions; empty = none",
    )
    defect_attempts: int = Field(
        default=3,
        ge=1,
        description="Attempts after which a record that our code fails on becomes a dead letter",
    )
    guard_records: int = Field(
        default=1000,
        ge=1,
        description="Number of last records in which the shares of dead letters are measured",
    )
    guard_defect_share: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="Share of dead letters by defects that stops the worker",
    )
    guard_rejected_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of dead letters for other reasons that stops it"
    )
    guard_per_minute: int = Field(
        default=3000, ge=1, description="Dead letters per minute that stop it, whatever their share"
    )
    blocked_keys: int = Field(
        default=1000, ge=0, description="Keys blocked by a handler; one more stops the worker"
    )
    batch_records: int = Field(
        default=5000, ge=1, description="Records after which a sink writes its batch"
    )
    batch_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="Bytes after which a sink writes its batch"
    )
    batch_age_s: float = Field(
        default=0.1, gt=0, description="Age in seconds at which a sink writes its batch"
    )

    @property
    def guard_bounds(self) -> GuardBounds:
        """How many dead letters may be written."""
        return GuardBounds(
            records=self.guard_records,
            defect_share=self.guard_defect_share,
            rejected_share=self.guard_rejected_share,
            per_minute=self.guard_per_minute,
        )
