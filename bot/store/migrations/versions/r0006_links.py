"""Links: which person of Entra ID a chat account belongs to, and the linkings that are under way."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables of links and linkings."""
    op.create_table(
        "links",
        *_texts("key", "platform", "account", "tenant", "oid", "since"),
        sa.PrimaryKeyConstraint("key", name="pk_links"),
    )
    op.create_index("ix_links_tenant_oid", "links", ["tenant", "oid"])
    op.create_table(
        "linkings",
        *_texts("key", "ticket"),
        sa.Column("revision", sa.Integer, nullable=False),
        *_texts("expires", "document"),
        sa.PrimaryKeyConstraint("key", name="pk_linkings"),
        sa.UniqueConstraint("ticket", name="uq_linkings_ticket"),
    )
    op.create_index("ix_linkings_expires", "linkings", ["expires"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
