"""The fault of an error of Postgres, by its SQLSTATE.

Source: PostgreSQL, appendix A, error codes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

import psycopg

from runtime.errors import ConfigurationError, TransientError


class SqlFault(Enum):
    """The fault of an error."""

    WORLD = auto()
    RECORD = auto()
    OPERATOR = auto()
    DEFECT = auto()


_by_class: Final = {
    "08": SqlFault.WORLD,  # connection exception
    "25": SqlFault.WORLD,  # transaction state: the server became a standby
    "40": SqlFault.WORLD,  # serialisation failure, deadlock
    "53": SqlFault.WORLD,  # disk full, out of memory, too many connections
    "57": SqlFault.WORLD,  # shutting down, starting up, statement timeout
    "58": SqlFault.WORLD,  # input and output
    "XX": SqlFault.WORLD,  # damage on the server is no reason for dead letters
    "22": SqlFault.RECORD,  # data exception
    "23": SqlFault.RECORD,  # constraint violation
    "54": SqlFault.RECORD,  # beyond a limit, e.g. the size of an index entry
    "28": SqlFault.OPERATOR,  # login
    "3D": SqlFault.OPERATOR,  # no such database
    "3F": SqlFault.OPERATOR,  # no such schema
    "42": SqlFault.OPERATOR,  # no such table or column, no permission
}
_by_state: Final = {"55P03": SqlFault.WORLD}  # lock not available

_check_violation: Final = "23514"
_partition_refuses: Final = "violates partition constraint"
"""Steps to it: a row is routed to the default partition and waits for its lock; meanwhile the row's
own partition is created; the server checks again and refuses. A retry finds the new partition. With
a server in another language than English the refusal looks like one of the row itself, which the
server then accepts alone."""

_refused_connections: Final = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "not permitted to log in",
    "permission denied for database",
)
"""libpq reports a failed connection without SQLSTATE. A refusal by a server in another language
than English counts as no answer."""


def fault_of(error: psycopg.Error) -> SqlFault:
    """Return the fault of an error; `SqlFault.DEFECT` for all that no table lists."""
    state = error.sqlstate
    if state == _check_violation and _partition_refuses in (error.diag.message_primary or ""):
        return SqlFault.WORLD
    if state is not None:
        return _by_state.get(state) or _by_class.get(state[:2], SqlFault.DEFECT)
    if isinstance(error, psycopg.OperationalError):
        refused = any(text in str(error) for text in _refused_connections)
        return SqlFault.OPERATOR if refused else SqlFault.WORLD
    return SqlFault.WORLD if isinstance(error, psycopg.InterfaceError) else SqlFault.DEFECT


@contextmanager
def errors_by_fault() -> Iterator[None]:
    """Raise the driver's errors as ours; our own defects stay unchanged.

    Refused rows that the sink could not find are a defect too. Their error omits the values that
    the driver's text quotes: a traceback would put them into the log.
    """
    try:
        yield
    except TimeoutError:
        raise TransientError("Postgres does not answer in time") from None
    except psycopg.Error as error:
        match fault_of(error):
            case SqlFault.WORLD:
                raise TransientError(f"Postgres: {safe_error_text(error)}") from error
            case SqlFault.OPERATOR:
                raise ConfigurationError(
                    f"Postgres refuses: {safe_error_text(error)}; check ZCC_POSTGRES_DSN (and "
                    "ZCC_POSTGRES_OWNER_DSN), the rights of its user, and that `zcc migrate` has "
                    "been run"
                ) from error
            case SqlFault.RECORD:
                raise RuntimeError(f"Postgres refuses rows: {safe_error_text(error)}") from None
            case SqlFault.DEFECT:
                raise


def safe_error_text(error: psycopg.Error) -> str:
    """Return what happened, without any value of a row."""
    if error.sqlstate is None:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    primary = "" if fault_of(error) is SqlFault.RECORD else f": {error.diag.message_primary}"
    return f"{error.sqlstate} {type(error).__name__}{primary}"
