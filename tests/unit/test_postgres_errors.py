"""Whose fault an error of Postgres is."""

import traceback

import psycopg
import pytest
from psycopg import errors

from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.errors import Fault, described, errors_by_fault, fault_of


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.ConnectionFailure, Fault.WORLD),
        (errors.ReadOnlySqlTransaction, Fault.WORLD),
        (errors.SerializationFailure, Fault.WORLD),
        (errors.DeadlockDetected, Fault.WORLD),
        (errors.DiskFull, Fault.WORLD),
        (errors.TooManyConnections, Fault.WORLD),
        (errors.AdminShutdown, Fault.WORLD),
        (errors.CannotConnectNow, Fault.WORLD),
        (errors.QueryCanceled, Fault.WORLD),
        (errors.IoError, Fault.WORLD),
        (errors.LockNotAvailable, Fault.WORLD),
        (errors.InternalError_, Fault.WORLD),
        (errors.UntranslatableCharacter, Fault.RECORD),
        (errors.NumericValueOutOfRange, Fault.RECORD),
        (errors.InvalidTextRepresentation, Fault.RECORD),
        (errors.NotNullViolation, Fault.RECORD),
        (errors.CheckViolation, Fault.RECORD),
        (errors.ProgramLimitExceeded, Fault.RECORD),
        (errors.InvalidPassword, Fault.OPERATOR),
        (errors.InvalidCatalogName, Fault.OPERATOR),
        (errors.InvalidSchemaName, Fault.OPERATOR),
        (errors.UndefinedTable, Fault.OPERATOR),
        (errors.InsufficientPrivilege, Fault.OPERATOR),
        (errors.ObjectInUse, Fault.OURS),
        (errors.FeatureNotSupported, Fault.OURS),
    ],
)
def test_the_sqlstate_says_whose_fault_it_is(error: type[psycopg.Error], fault: Fault) -> None:
    assert fault_of(error("…")) is fault


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("connection refused", Fault.WORLD),
        ('could not translate host name "db" to address', Fault.WORLD),
        ("FATAL:  the database system is starting up", Fault.WORLD),
        ('FATAL:  too many connections for role "zcc"', Fault.WORLD),
        ("server closed the connection unexpectedly", Fault.WORLD),
        ('FATAL:  password authentication failed for user "zcc"', Fault.OPERATOR),
        ("fe_sendauth: no password supplied", Fault.OPERATOR),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', Fault.OPERATOR),
        ('FATAL:  role "zcc" does not exist', Fault.OPERATOR),
        ('FATAL:  database "events" does not exist', Fault.OPERATOR),
        ('FATAL:  role "zcc" is not permitted to log in', Fault.OPERATOR),
        ('FATAL:  permission denied for database "events"', Fault.OPERATOR),
    ],
)
def test_a_connection_that_fails_has_no_sqlstate_but_a_text(message: str, fault: Fault) -> None:
    assert fault_of(psycopg.OperationalError(message)) is fault


def test_a_closed_connection_is_the_world_and_wrong_use_is_ours() -> None:
    assert fault_of(psycopg.InterfaceError("the connection is closed")) is Fault.WORLD
    assert fault_of(psycopg.ProgrammingError("the query has 1 placeholder")) is Fault.OURS


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
    assert described(errors.InvalidTextRepresentation("bad: +15550100000")) == (
        "22P02 InvalidTextRepresentation"
    )
