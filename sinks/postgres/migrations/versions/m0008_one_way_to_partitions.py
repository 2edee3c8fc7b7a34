"""Takes away how sinks of revision 0005 made partitions."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
phase = "post"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
