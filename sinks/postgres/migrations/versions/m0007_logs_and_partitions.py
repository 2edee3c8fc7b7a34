"""Which log an offset is of; partitions made one by one, for rows that wait for them too."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
