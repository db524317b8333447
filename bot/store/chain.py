"""The audit chain: appending to it under the lock of its head, and reading it."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, RootTransaction, bindparam, insert, select, update

from bot.core.audit import Draft, Entry, seal
from bot.core.errors import Damaged
from bot.store.rows import entry_row, read_entry
from bot.store.statement import Statement
from bot.store.tables import audit_entries, audit_head
from bot.store.together import Together

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

Head = tuple[int, str]
_HEADS = WeakKeyDictionary[RootTransaction, Head]()


def append(connection: Connection, drafts: Sequence[Draft], later: Together) -> tuple[Entry, ...]:
    """Give facts their places in the chain, to be written `later`. Raises Damaged where the head is wrong."""
    if not drafts:
        return ()
    sequence, previous = _kept_head(connection) or head(connection, lock=True)
    entries: list[Entry] = []
    for draft in drafts:
        sequence += 1
        entries.append(seal(draft, sequence, previous))
        previous = entries[-1].hash
    twice = Damaged(
        f"The audit log has an entry {entries[0].sequence} already, though its head says otherwise. "
        "Nothing was done; run `deputy audit verify`."
    )
    for entry in entries:
        later.add(_ADD, entry_row(entry), twice)
    later.add(_MOVE_HEAD, {"sequence": sequence, "hash": previous})
    _keep_head(connection, (sequence, previous))
    return tuple(entries)


def _kept_head(connection: Connection) -> Head | None:
    """Return the head as this transaction left it; behind a savepoint it may have been taken back."""
    transaction = connection.get_transaction()
    return None if transaction is None or connection.in_nested_transaction() else _HEADS.get(transaction)


def _keep_head(connection: Connection, head: Head) -> None:
    transaction = connection.get_transaction()
    if transaction is not None:
        _HEADS[transaction] = head


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
