"""One change, step by step, on a connection whose transaction makes it all or nothing."""

from collections.abc import Container, Iterable, Mapping

from sqlalchemy import Connection

from bot.core.audit import Entry
from bot.core.run import State
from bot.ports import Change
from bot.store import absences, chain, links, locks, outbox, runs, vault_rows, workers
from bot.store.together import Together, Verbatim

Words = Iterable[tuple[str, Mapping[str, str]]]


def apply(
    connection: Connection, change: Change, known: Container[str] = (), words: Words = ()
) -> tuple[Entry, ...]:
    """Write a change and return its audit entries. Raises Conflict, Busy, Damaged.

    `known` are hashes of scripts that are there for certain; `words` are statements that tell others of it.
    """
    # First: who holds the chain's head is alone with all that follows.
    later = Together()
    entries = chain.append(connection, change.entries, later)
    if change.delivery:
        at = entries[-1].at if entries else None
        outbox.accept(change.delivery, change.run.id if change.run else "", at, later)
    runs.keep_scripts(connection, [script for script in change.scripts if script.sha not in known])
    if change.run:
        runs.save(change.run, change.steps, later)
        if change.run.started and change.run.state is not State.RUNNING:
            locks.release(change.run.id, later)
            workers.ended(change.run.id, later)
    if change.output:
        runs.keep_output(change.output, later)
    for post in change.posts:
        outbox.put(post, entries[-1].reference if entries else "", later)
    for sql, values in words:
        later.add(Verbatim(sql), values)
    later.run(connection)
    if change.run:  # which is there by now, though it may be new: a lock names its holder
        locks.hold(connection, change.run.id, change.locks)
        locks.take_places(connection, change.run.id, change.limits)
    _apply_secrets(connection, change)
    _apply_links(connection, change)
    _apply_absences(connection, change)
    return entries


def _apply_links(connection: Connection, change: Change) -> None:
    if change.linking:
        links.save_linking(connection, change.linking)
    if change.link:
        links.put_link(connection, change.link)
    if change.unlinked:
        links.remove_link(connection, change.unlinked)


def _apply_absences(connection: Connection, change: Change) -> None:
    if change.away:
        absences.put(connection, change.away)
    if change.back:
        absences.remove(connection, change.back)


def _apply_secrets(connection: Connection, change: Change) -> None:
    for row in change.secrets:
        vault_rows.add(connection, row)
    for row in change.rewrapped:
        vault_rows.rewrap(connection, row)
    vault_rows.remove(connection, change.removed_secrets)
    for output, sealed in change.resealed:
        runs.reseal_output(connection, output, sealed)
