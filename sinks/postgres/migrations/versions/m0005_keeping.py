"""Partitions by month or day, audit of what is removed, addresses in one form."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
