"""The audit chain: appending to it under the lock of its head, and reading it."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.audit import Draft, Entry, seal
from bot.core.errors import Damaged
from bot.store.rows import entry_row, read_entry
from bot.store.tables import audit_entries, audit_head


def append(connection: Connection, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
    """Give facts their places in the chain and write them. Raises Damaged where the head is wrong."""
    if not drafts:
        return ()
    sequence, previous = head(connection, lock=True)
    entries: list[Entry] = []
    for draft in drafts:
        sequence += 1
        entries.append(seal(draft, sequence, previous))
        previous = entries[-1].hash
    try:
        connection.execute(insert(audit_entries), [entry_row(entry) for entry in entries])
    except IntegrityError as error:
        raise Damaged(
            f"The audit log has an entry {entries[0].sequence} already, though its head says otherwise. "
            "Nothing was done; run `deputy audit verify`."
        ) from error
    connection.execute(update(audit_head), {"sequence": sequence, "hash": previous})
    return tuple(entries)


def head(connection: Connection, *, lock: bool = False) -> tuple[int, str]:
    """Return the sequence number and hash of the newest entry; with `lock` nobody else appends meanwhile."""
    query = select(audit_head.c.sequence, audit_head.c.hash)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise Damaged("The audit log has lost its head. Nothing was done; run `deputy audit verify`.")
    return row.sequence, row.hash


def entries(connection: Connection, after: int, limit: int, subject: str) -> Sequence[Entry]:
    """Return entries in order of their sequence numbers: those after `after`, of one subject if named."""
    query = select(audit_entries).where(audit_entries.c.sequence > after)
    if subject:
        query = query.where(audit_entries.c.subject == subject)
    rows = connection.execute(query.order_by(audit_entries.c.sequence).limit(limit)).all()
    return [read_entry(row) for row in rows]
