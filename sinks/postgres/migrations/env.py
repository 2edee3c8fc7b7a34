"""Run by Alembic for each command: one transaction, one migration of a database at a time."""

from typing import Final

from alembic import context

from sinks.postgres.model.tables import schema

_migration_lock: Final = 7_213_640_001  # any number that nobody else locks
_others_timeout_s: Final = 60
_table_timeout_s: Final = 4
"""A migration that waits for a table makes all later readers of it wait as well."""

context.configure(
    connection=context.config.attributes.get("connection"),
    dialect_name="postgresql",
    version_table_schema=schema,
)
with context.begin_transaction():
    context.execute(f"set local lock_timeout = '{_others_timeout_s}s'")
    context.execute(f"select pg_advisory_xact_lock({_migration_lock})")
    context.execute(f"set local lock_timeout = '{_table_timeout_s}s'")
    context.execute(f"create schema if not exists {schema}")
    context.run_migrations()
