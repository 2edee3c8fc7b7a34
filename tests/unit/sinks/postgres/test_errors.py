"""Whose fault an error of Postgres is."""

import traceback

import psycopg
import pytest
from psycopg import errors

from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.errors import SqlFault, errors_by_fault, fault_of, safe_error_text


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.ConnectionFailure, SqlFault.WORLD),
        (errors.ReadOnlySqlTransaction, SqlFault.WORLD),
        (errors.SerializationFailure, SqlFault.WORLD),
        (errors.DeadlockDetected, SqlFault.WORLD),
        (errors.DiskFull, SqlFault.WORLD),
        (errors.TooManyConnections, SqlFault.WORLD),
        (errors.AdminShutdown, SqlFault.WORLD),
        (errors.CannotConnectNow, SqlFault.WORLD),
        (errors.QueryCanceled, SqlFault.WORLD),
        (errors.IoError, SqlFault.WORLD),
        (errors.LockNotAvailable, SqlFault.WORLD),
        (errors.InternalError_, SqlFault.WORLD),
        (errors.UntranslatableCharacter, SqlFault.RECORD),
        (errors.NumericValueOutOfRange, SqlFault.RECORD),
        (errors.InvalidTextRepresentation, SqlFault.RECORD),
        (errors.NotNullViolation, SqlFault.RECORD),
        (errors.CheckViolation, SqlFault.RECORD),
        (errors.ProgramLimitExceeded, SqlFault.RECORD),
        (errors.InvalidPassword, SqlFault.OPERATOR),
        (errors.InvalidCatalogName, SqlFault.OPERATOR),
        (errors.InvalidSchemaName, SqlFault.OPERATOR),
        (errors.UndefinedTable, SqlFault.OPERATOR),
        (errors.InsufficientPrivilege, SqlFault.OPERATOR),
        (errors.ObjectInUse, SqlFault.DEFECT),
        (errors.FeatureNotSupported, SqlFault.DEFECT),
    ],
)
def test_the_sqlstate_says_whose_fault_it_is(error: type[psycopg.Error], fault: SqlFault) -> None:
    assert fault_of(error("…")) is fault


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("connection refused", SqlFault.WORLD),
        ('could not translate host name "db" to address', SqlFault.WORLD),
        ("FATAL:  the database system is starting up", SqlFault.WORLD),
        ('FATAL:  too many connections for role "zcc"', SqlFault.WORLD),
        ("server closed the connection unexpectedly", SqlFault.WORLD),
        ('FATAL:  password authentication failed for user "zcc"', SqlFault.OPERATOR),
        ("fe_sendauth: no password supplied", SqlFault.OPERATOR),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', SqlFault.OPERATOR),
        ('FATAL:  role "zcc" does not exist', SqlFault.OPERATOR),
        ('FATAL:  database "events" does not exist', SqlFault.OPERATOR),
        ('FATAL:  role "zcc" is not permitted to log in', SqlFault.OPERATOR),
        ('FATAL:  permission denied for database "events"', SqlFault.OPERATOR),
    ],
)
def test_a_connection_that_fails_has_no_sqlstate_but_a_text(message: str, fault: SqlFault) -> None:
    assert fault_of(psycopg.OperationalError(message)) is fault


def test_a_closed_connection_is_the_world_and_wrong_use_is_ours() -> None:
    assert fault_of(psycopg.InterfaceError("the connection is closed")) is SqlFault.WORLD
    assert fault_of(psycopg.ProgrammingError("the query has 1 placeholder")) is SqlFault.DEFECT


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (errors.AdminShutdown(), TransientError),
        (TimeoutError(), TransientError),
        (errors.UndefinedTable(), ConfigurationError),
        (errors.NotNullViolation(), RuntimeError),
        (errors.ObjectInUse(), errors.ObjectInUse),
        (ConfigurationError("…"), ConfigurationError),
    ],
)
def test_errors_become_ours_by_fault_and_others_stay(
    raised: Exception, expected: type[Exception]
) -> None:
    with pytest.raises(expected), errors_by_fault():
        raise raised


def test_a_trace_of_refused_rows_holds_none_of_their_values() -> None:
    with pytest.raises(RuntimeError) as raised, errors_by_fault():
        raise errors.UniqueViolation("Key (consumer_number)=(+15550100000) already exists.")
    assert "+1555" not in "".join(traceback.format_exception(raised.value))


def test_a_refusal_names_the_command_that_repairs_it() -> None:
    with pytest.raises(ConfigurationError, match="zcc migrate"), errors_by_fault():
        raise errors.UndefinedTable


def test_a_description_of_a_refused_row_holds_none_of_its_values() -> None:
    assert safe_error_text(errors.InvalidTextRepresentation("bad: +15550100000")) == (
        "22P02 InvalidTextRepresentation"
    )
