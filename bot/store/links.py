"""Which person an account belongs to, and the linkings under way."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.errors import Conflict
from bot.core.linking import Link, Linking, Stage
from bot.core.principal import Account, Who
from bot.store.rows import AnyRow, moment, reading
from bot.store.tables import linkings, links

_GONE = (
    "A newer link was asked for meanwhile, so nothing was done. Use the newest, or ask again with /deputy link."
)


def link_of(connection: Connection, account: Account) -> Link | None:
    """Return an account's link. Raises Damaged."""
    row = connection.execute(select(links).where(links.c.key == account.key)).one_or_none()
    return _read_link(row) if row else None


def links_of(connection: Connection, who: Who) -> Sequence[Link]:
    """Return the links of a person's accounts, oldest first. Raises Damaged."""
    theirs = select(links).where(links.c.tenant == who.tenant.lower(), links.c.oid == who.oid.lower())
    return [_read_link(row) for row in connection.execute(theirs.order_by(links.c.since, links.c.key))]


def put_link(connection: Connection, link: Link) -> None:
    """Write an account's link in place of the one it has."""
    remove_link(connection, link.account)
    account = {"key": link.account.key, "platform": link.account.platform, "account": link.account.id.strip()}
    person = {"tenant": link.who.tenant.lower(), "oid": link.who.oid.lower()}
    connection.execute(insert(links), {**account, **person, "since": moment(link.since)})


def remove_link(connection: Connection, account: Account) -> None:
    """Remove an account's link, where it has one."""
    connection.execute(delete(links).where(links.c.key == account.key))


def linking_of(connection: Connection, account: Account) -> Linking | None:
    """Return the linking that an account began last. Raises Damaged."""
    return _linking(connection, linkings.c.key == account.key)


def linking_by(connection: Connection, ticket: str) -> Linking | None:
    """Return the linking of a ticket, by its digest. Raises Damaged."""
    return _linking(connection, linkings.c.ticket == ticket)


def save_linking(connection: Connection, linking: Linking) -> None:
    """Write a linking whose revision is one more than the stored one's; a new one takes the old one's place.

    Raises Conflict where somebody was first.
    """
    if linking.revision == 1:
        outdated = (linkings.c.key == linking.account.key) | (linkings.c.expires <= moment(linking.since))
        connection.execute(delete(linkings).where(outdated))
        try:
            connection.execute(insert(linkings), _row(linking))
        except IntegrityError as error:
            raise Conflict(_GONE) from error
        return
    mine = (linkings.c.ticket == linking.ticket) & (linkings.c.revision == linking.revision - 1)
    if connection.execute(update(linkings).where(mine), _row(linking)).rowcount == 0:
        raise Conflict(_GONE)


def _linking(connection: Connection, which: ColumnElement[bool]) -> Linking | None:
    row = connection.execute(select(linkings).where(which)).one_or_none()
    if row is None:
        return None
    with reading("A linking under way"):
        return _read(row.ticket, row.revision, json.loads(row.document))


def _row(linking: Linking) -> dict[str, Any]:
    document = {name: value for name, value in vars(linking).items() if name not in ("ticket", "revision")}
    return {
        "key": linking.account.key,
        "ticket": linking.ticket,
        "revision": linking.revision,
        "expires": moment(linking.expires),
        "document": json.dumps(document, default=_fields),
    }


def _fields(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else vars(value)


def _read(ticket: str, revision: int, data: Mapping[str, Any]) -> Linking:
    account = data["account"]
    proved = Who(**account["who"]) if account["who"] else None
    read = {
        "account": Account(**{**account, "who": proved}),
        "since": datetime.fromisoformat(data["since"]),
        "stage": Stage(data["stage"]),
        "who": Who(**data["who"]) if data["who"] else None,
    }
    return Linking(ticket=ticket, revision=revision, **{**data, **read})


def _read_link(row: AnyRow) -> Link:
    with reading(f"The link of {row.key}"):
        since = datetime.fromisoformat(row.since)
        return Link(Account(row.platform, row.account), Who(row.tenant, row.oid), since)
