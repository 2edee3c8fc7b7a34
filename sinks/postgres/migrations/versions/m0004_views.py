"""Views for people and their tools, and the roles that read and write."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
