"""The database's schema: an empty one gets today's tables at once, an older one is brought there by migrations.

A test shows that both ways lead to the same: loading Alembic takes longer, and more memory, than all the rest of
a start.
"""

from sqlalchemy import Connection, insert, text

from bot.core.audit import GENESIS
from bot.core.errors import Unavailable
from bot.store.tables import audit_head, metadata

HEAD = "0008"  # the newest migration; a test compares it with the folder


def upgrade(connection: Connection) -> None:
    """Bring the schema up to HEAD, in the caller's transaction.

    Raises Unavailable where the database was written by a newer Deputy.
    """
    before = revision(connection)
    if before is None:
        _create(connection)
    elif before != HEAD:
        migrate(connection, before)


def migrate(connection: Connection, before: str | None) -> None:
    """Bring a schema from the migration it is at up to HEAD. Raises Unavailable for one that isn't known."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "bot.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise Unavailable(
            f"The database was written by a newer Deputy (its schema is {before}, this one knows {HEAD}). "
            "Start the newer Deputy, or restore the backup from before the update."
        )
    command.upgrade(config, "head")


def _create(connection: Connection) -> None:
    """Make every table, where none of them may be there."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(audit_head), {"id": 1, "sequence": 0, "hash": GENESIS})
    # As Alembic makes and fills it.
    version = "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
    connection.execute(text(f"CREATE TABLE alembic_version ({version})"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def revision(connection: Connection) -> str | None:
    """Return the migration the database is at, None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
