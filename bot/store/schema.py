"""The database's schema: made and brought up to date by the migrations, and by nothing else."""

from sqlalchemy import Connection, text

from bot.core.errors import Unavailable

HEAD = "0008"  # the newest migration; a test compares it with the folder


def upgrade(connection: Connection) -> None:
    """Bring the schema up to HEAD, in the caller's transaction.

    Raises Unavailable where the database was written by a newer Deputy.
    """
    before = revision(connection)
    if before == HEAD:
        return
    # Loading Alembic takes longer than all the rest of a start.
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


def revision(connection: Connection) -> str | None:
    """Return the migration the database is at, None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
