"""Who votes while an approver is away, and the runs of one action in their order."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table of absences, and the index that finds an action's last runs."""
    names = ("holder", "tenant", "oid", "name", "deputy_tenant", "deputy_oid", "deputy_name", "until")
    op.create_table(
        "absences",
        *(sa.Column(name, sa.Text, nullable=False) for name in names),
        sa.PrimaryKeyConstraint("holder", name="pk_absences"),
    )
    op.create_index("ix_absences_until", "absences", ["until"])
    op.create_index("ix_runs_action_number", "runs", ["action", "number"])
