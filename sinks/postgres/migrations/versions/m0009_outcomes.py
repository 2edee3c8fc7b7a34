"""What Zoom tells of an engagement after its end, beside what its events say."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
