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


def test_pseudonyms_without_a_key_are_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="PERSONAL_DATA needs ZCC_POSTGRES_PSEUDONYM_KEY"):
        PostgresSettings(dsn=SecretStr("host=db"), personal_data={"phone": "pseudonymise"})
    PostgresSettings(dsn=SecretStr("host=db"), personal_data={"phone": "drop"})


def test_a_key_that_is_short_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValidationError, match="expected 16 characters or more") as refused:
        PostgresSettings(dsn=SecretStr("host=db"), pseudonym_key=SecretStr("too short"))
    assert "too short" not in str(refused.value)


@pytest.mark.parametrize("personal_data", [{"fax": "drop"}, {"phone": "hide"}])
def test_classes_and_treatments_are_those_that_are_known(personal_data: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PostgresSettings.model_validate({"dsn": "host=db", "personal_data": personal_data})


def test_a_document_has_no_treatment_of_its_own() -> None:
    with pytest.raises(ValidationError, match="by the classes of its members"):
        PostgresSettings(dsn=SecretStr("host=db"), personal_data={"document": "drop"})


def test_the_environment_gives_treatments_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCC_POSTGRES_DSN", "host=db")
    monkeypatch.setenv("ZCC_POSTGRES_PERSONAL_DATA", '{"free_text": "drop", "url": "keep"}')
    assert PostgresSettings().redaction.treatments == {"free_text": "drop", "url": "keep"}
