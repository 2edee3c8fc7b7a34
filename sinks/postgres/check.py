"""Checks a database for `zcc doctor`: it answers, and its tables are as the sink needs them."""

import asyncio

from runtime.errors import ConfigurationError
from sinks.postgres.migrate import current_revision
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.write.session import required_revision


async def check(settings: PostgresSettings) -> str:
    """Return the state of the database in one line.

    Raises:
        ConfigurationError: the database refuses, or its tables are missing or too old.
        TransientError: it does not answer.
    """
    revision = await asyncio.to_thread(current_revision, settings.dsn.get_secret_value())
    if revision is None or revision < required_revision:
        state = "missing" if revision is None else f"at revision {revision}"
        raise ConfigurationError(
            f"the tables are {state}, {required_revision} is needed: run `zcc migrate`"
        )
    return f"it answers, its tables are at revision {revision}"
