"""Settings of the Postgres sink."""

import pytest
from pydantic import SecretStr, ValidationError

from sinks.postgres.settings import PostgresSettings


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://zcc:secret@db:5432/events",
        "postgresql://zcc@/events?host=/run/postgresql",
        "host=db dbname=events",
    ],
)
def test_what_libpq_reads_is_taken(dsn: str) -> None:
    assert PostgresSettings(dsn=SecretStr(dsn)).dsn.get_secret_value() == dsn


@pytest.mark.parametrize("dsn", ["", "db", "mysql://zcc:secret@db/events"])
def test_anything_else_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(ValidationError, match="expected postgresql://") as refused:
        PostgresSettings(dsn=SecretStr(dsn))
    assert "secret" not in str(refused.value)


def test_a_write_that_is_shorter_than_a_statement_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="ZCC_POSTGRES_WRITE_TIMEOUT_S must be longer"):
        PostgresSettings(dsn=SecretStr("host=db"), statement_timeout_s=30.0, write_timeout_s=30.0)


def test_the_password_is_not_shown() -> None:
    settings = PostgresSettings(dsn=SecretStr("postgresql://zcc:secret@db/events"))
    assert "secret" not in repr(settings)
