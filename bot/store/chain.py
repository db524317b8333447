"""The audit chain: appending to it under the lock of its head, and reading it."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.audit import Draft, Entry, seal
from bot.core.errors import Damaged
from bot.store.rows import entry_row, read_entry
from bot.store.statement import Statement
from bot.store.tables import audit_entries, audit_head

_HEAD = select(audit_head.c.sequence, audit_head.c.hash)
_READ_HEAD, _LOCK_HEAD = Statement(_HEAD), Statement(_HEAD.with_for_update())
_ENTRIES = (
    select(audit_entries)
    .where(audit_entries.c.sequence > bindparam("after"))
    .order_by(audit_entries.c.sequence)
    .limit(bindparam("most"))
)
_READ, _READ_OF = Statement(_ENTRIES), Statement(_ENTRIES.where(audit_entries.c.subject == bindparam("of")))
_MOVE_HEAD = Statement(update(audit_head))
_ADD = Statement(insert(audit_entries))


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
        for entry in entries:
            _ADD.run(connection, entry_row(entry))
    except IntegrityError as error:
        raise Damaged(
            f"The audit log has an entry {entries[0].sequence} already, though its head says otherwise. "
            "Nothing was done; run `deputy audit verify`."
        ) from error
    _MOVE_HEAD.run(connection, {"sequence": sequence, "hash": previous})
    return tuple(entries)


def head(connection: Connection, *, lock: bool = False) -> tuple[int, str]:
    """Return the sequence number and hash of the newest entry; with `lock` nobody else appends meanwhile."""
    row = (_LOCK_HEAD if lock else _READ_HEAD).one(connection)
    if row is None:
        raise Damaged("The audit log has lost its head. Nothing was done; run `deputy audit verify`.")
    return row.sequence, row.hash


def entries(connection: Connection, after: int, limit: int, subject: str) -> Sequence[Entry]:
    """Return entries in order of their sequence numbers: those after `after`, of one subject if named."""
    wanted: dict[str, int | str] = {"after": after, "most": limit}
    rows = _READ_OF.rows(connection, {**wanted, "of": subject}) if subject else _READ.rows(connection, wanted)
    return [read_entry(row) for row in rows]
