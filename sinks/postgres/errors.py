"""Whose fault an error of Postgres is, by its SQLSTATE.

Source: PostgreSQL, appendix A, error codes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

import psycopg

from runtime.errors import ConfigurationError, TransientError


class Fault(Enum):
    """Whose fault it is."""

    WORLD = auto()
    RECORD = auto()
    OPERATOR = auto()
    OURS = auto()


_by_class: Final = {
    "08": Fault.WORLD,  # connection exception
    "25": Fault.WORLD,  # transaction state: the server became a standby
    "40": Fault.WORLD,  # serialisation failure, deadlock
    "53": Fault.WORLD,  # disk full, out of memory, too many connections
    "57": Fault.WORLD,  # shutting down, starting up, statement timeout
    "58": Fault.WORLD,  # input and output
    "XX": Fault.WORLD,  # damage on the server is no reason to set records aside
    "22": Fault.RECORD,  # data exception
    "23": Fault.RECORD,  # constraint violation
    "54": Fault.RECORD,  # beyond a limit, e.g. the size of an index entry
    "28": Fault.OPERATOR,  # login
    "3D": Fault.OPERATOR,  # no such database
    "3F": Fault.OPERATOR,  # no such schema
    "42": Fault.OPERATOR,  # no such table or column, no permission
}
_by_state: Final = {"55P03": Fault.WORLD}  # lock not available

_check_violation: Final = "23514"
_partition_refuses: Final = "violates partition constraint"
"""Steps to it: a row is on its way to the default partition and waits for its lock; meanwhile the
row's own partition is made; the server looks again and refuses. Another try finds the new
partition. A server that speaks another language than English seems to refuse the row itself, which
it then takes alone."""

_refused_connections: Final = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "not permitted to log in",
    "permission denied for database",
)
"""libpq reports a failed connection without SQLSTATE. A server that speaks another language than
English is taken for one that does not answer."""


def fault_of(error: psycopg.Error) -> Fault:
    """Return whose fault it is; `Fault.OURS` for everything that is in no table."""
    state = error.sqlstate
    if state == _check_violation and _partition_refuses in (error.diag.message_primary or ""):
        return Fault.WORLD
    if state is not None:
        return _by_state.get(state) or _by_class.get(state[:2], Fault.OURS)
    if isinstance(error, psycopg.OperationalError):
        refused = any(text in str(error) for text in _refused_connections)
        return Fault.OPERATOR if refused else Fault.WORLD
    return Fault.WORLD if isinstance(error, psycopg.InterfaceError) else Fault.OURS


@contextmanager
def errors_by_fault() -> Iterator[None]:
    """Turn the driver's errors into ours; what is our own defect stays what it is.

    Refused rows that nobody took out are a defect too, told without the values that the driver's
    text quotes: a trace of it would put them into the log.
    """
    try:
        yield
    except TimeoutError:
        raise TransientError("Postgres does not answer in time") from None
    except psycopg.Error as error:
        match fault_of(error):
            case Fault.WORLD:
                raise TransientError(f"Postgres: {described(error)}") from error
            case Fault.OPERATOR:
                raise ConfigurationError(
                    f"Postgres refuses: {described(error)}; check ZCC_POSTGRES_DSN (and "
                    "ZCC_POSTGRES_OWNER_DSN), the rights of its user, and that `zcc migrate` has "
                    "been run"
                ) from error
            case Fault.RECORD:
                raise RuntimeError(f"Postgres refuses rows: {described(error)}") from None
            case Fault.OURS:
                raise


def described(error: psycopg.Error) -> str:
    """Return what happened, without any value of a row."""
    if error.sqlstate is None:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    primary = "" if fault_of(error) is Fault.RECORD else f": {error.diag.message_primary}"
    return f"{error.sqlstate} {type(error).__name__}{primary}"
