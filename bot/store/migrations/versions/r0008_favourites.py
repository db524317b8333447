"""Which actions are whose favourites."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of favourites."""
    op.create_table(
        "favourites",
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("principal", "action", name="pk_favourites"),
    )
