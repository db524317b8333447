"""Who is away, and who may approve in their place meanwhile."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bot.core.approval import Absence
from bot.core.principal import Who
from bot.store.rows import AnyRow, moment, reading
from bot.store.tables import absences


def put(connection: Connection, absence: Absence) -> None:
    """Write an absence in place of the one its holder has."""
    remove(connection, absence.holder)
    holder, deputy = absence.holder, absence.deputy
    row = {
        "holder": holder.key,
        "tenant": holder.tenant,
        "oid": holder.oid,
        "name": holder.name,
        "deputy_tenant": deputy.tenant,
        "deputy_oid": deputy.oid,
        "deputy_name": deputy.name,
        "until": moment(absence.until),
    }
    connection.execute(insert(absences), row)


def remove(connection: Connection, holder: Who) -> None:
    """Remove somebody's absence, where they have one."""
    connection.execute(delete(absences).where(absences.c.holder == holder.key))


def lasting(connection: Connection, now: datetime) -> Sequence[Absence]:
    """Return the absences that are not over, those that end first before the others. Raises Damaged."""
    still = select(absences).where(absences.c.until > moment(now))
    return [_read(row) for row in connection.execute(still.order_by(absences.c.until, absences.c.holder))]


def _read(row: AnyRow) -> Absence:
    with reading(f"The absence of {row.name or row.oid}"):
        holder = Who(row.tenant, row.oid, row.name)
        deputy = Who(row.deputy_tenant, row.deputy_oid, row.deputy_name)
        return Absence(holder, deputy, datetime.fromisoformat(row.until))
