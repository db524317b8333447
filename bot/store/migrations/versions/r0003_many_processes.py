"""Beats and requests to stop, for many processes; when a request expires, to be searched by."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

GROWING = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and fill the new column from the runs themselves."""
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("beats", GROWING, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    op.create_table(
        "stops",
        *[sa.Column(name, sa.Text, nullable=False) for name in ("run", "tenant", "oid", "name")],
        sa.PrimaryKeyConstraint("run", name="pk_stops"),
    )
    op.add_column("runs", sa.Column("expires", sa.Text, nullable=False, server_default=""))
    _fill()
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("expires", server_default=None)
    op.create_index("ix_runs_state_expires", "runs", ["state", "expires"])


def _fill() -> None:
    connection = op.get_bind()
    runs = sa.table("runs", sa.column("id"), sa.column("document"), sa.column("expires"))
    for id_, document in connection.execute(sa.select(runs.c.id, runs.c.document)).all():
        expires = datetime.fromisoformat(json.loads(document)["request"]["expires_at"]).astimezone(UTC)
        row = {"expires": expires.isoformat(timespec="microseconds")}
        connection.execute(sa.update(runs).where(runs.c.id == id_).values(row))
