"""Says whether libpq can read a connection string."""

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


def is_conninfo(text: str) -> bool:
    """Return whether the text is a URL or a list of parameters that libpq reads."""
    try:
        return bool(conninfo_to_dict(text))
    except ProgrammingError:  # its message may hold the password
        return False
