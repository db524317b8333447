"""The rows of the built-in vault: sealed here, opened nowhere near."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.errors import Conflict
from bot.ports import SecretRow
from bot.store.rows import read_secret, secret_row
from bot.store.tables import secrets


def add(connection: Connection, row: SecretRow) -> None:
    """Add a secret version. Raises Conflict where there is one of its name and number."""
    try:
        connection.execute(insert(secrets).values(secret_row(row)))
    except IntegrityError as error:
        raise Conflict(
            f"Somebody else set the secret “{row.name}” at the same moment, so nothing was done. Try again."
        ) from error


def rewrap(connection: Connection, row: SecretRow) -> None:
    """Replace a version's key id and wrapped key. Raises Conflict where it is gone."""
    same = (secrets.c.name == row.name) & (secrets.c.version == row.version)
    new = {"key_id": row.key_id, "wrapped_key": row.wrapped_key}
    if connection.execute(update(secrets).where(same).values(new)).rowcount == 0:
        raise Conflict(f"Somebody removed the secret “{row.name}” meanwhile, so nothing was done. Try again.")


def remove(connection: Connection, names: Sequence[str]) -> None:
    """Remove every version of some secrets."""
    if names:
        connection.execute(delete(secrets).where(secrets.c.name.in_(names)))


def get(connection: Connection, name: str, version: int | None) -> SecretRow | None:
    """Return one version of a secret, the newest where none is named."""
    query = select(secrets).where(secrets.c.name == name).order_by(secrets.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(secrets.c.version == version)
    row = connection.execute(query).one_or_none()
    return read_secret(row) if row else None


def newest(connection: Connection) -> Sequence[SecretRow]:
    """Return the newest version of every secret, by name."""
    last = select(secrets.c.name, func.max(secrets.c.version).label("version")).group_by(secrets.c.name).subquery()
    both = (last.c.name == secrets.c.name) & (last.c.version == secrets.c.version)
    rows = connection.execute(select(secrets).join(last, both).order_by(secrets.c.name))
    return [read_secret(row) for row in rows]


def every(connection: Connection) -> Sequence[SecretRow]:
    """Return every version of every secret, by name and version."""
    rows = connection.execute(select(secrets).order_by(secrets.c.name, secrets.c.version))
    return [read_secret(row) for row in rows]
