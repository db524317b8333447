"""The first tables."""

import sqlalchemy as sa
from alembic import op

from bot.core.audit import GENESIS

revision = "0001"
down_revision = None

GROWING = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and the head of an audit chain that has no entry yet."""
    _runs()
    _audit()
    _chat()
    _vault()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", GROWING, nullable=False),
        *_texts("id", "requester", "action", "state"),
        sa.Column("revision", sa.Integer, nullable=False),
        *_texts("created", "document"),
        sa.PrimaryKeyConstraint("number", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
    )
    _index("runs", "state", "number")
    _index("runs", "requester", "number")
    _index("runs", "requester", "action")
    op.create_table(
        "scripts",
        *_texts("sha", "name"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha", name="pk_scripts"),
    )
    op.create_table(
        "outputs",
        *_texts("run", "text"),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("expires", sa.Text),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_outputs_run"),
        sa.PrimaryKeyConstraint("run", name="pk_outputs"),
    )
    _index("outputs", "expires")


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("sequence", GROWING, autoincrement=False, nullable=False),
        *_texts("at", "tag", "tenant", "actor", "actor_name", "subject", "facts", "previous", "hash"),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_entries"),
    )
    _index("audit_entries", "subject", "sequence")
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("sequence", GROWING, nullable=False),
        *_texts("hash"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": GENESIS}])


def _chat() -> None:
    op.create_table(
        "deliveries",
        *_texts("id", "content", "run"),
        sa.Column("at", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    _index("deliveries", "at")
    op.create_table(
        "outbox",
        sa.Column("id", GROWING, nullable=False),
        *_texts("platform", "conversation", "key", "run", "only_for", "card", "status", "due"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    _index("outbox", "status", "id")
    _index("outbox", "key", "status")
    op.create_table(
        "messages",
        sa.Column("id", GROWING, nullable=False),
        *_texts("conversation", "key"),
        sa.Column("version", sa.Integer, nullable=False),
        *_texts("at", "only_for", "author", "text"),
        sa.Column("card", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("conversation", "key", name="uq_messages_conversation_key"),
    )
    _index("messages", "conversation", "id")


def _vault() -> None:
    op.create_table(
        "secrets",
        *_texts("name"),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        *_texts("key_id"),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        *_texts("created"),
        sa.PrimaryKeyConstraint("name", "version", name="pk_secrets"),
    )
