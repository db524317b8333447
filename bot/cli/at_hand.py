"""What `deputy doctor` finds on this machine and in the database. It only reads, so a running Deputy goes on."""

import os
from collections.abc import AsyncIterator, Iterator

from bot.core.errors import DeputyError
from bot.core.finding import Finding, absent, fails, works
from bot.settings import Settings
from bot.store.database import SqlStore

_DATABASE, _VAULT, _AUDIT = "Database", "Vault", "Audit log"


def content(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of settings, folders, actions, policies and cases."""
    from bot.cli.check import faults, summary
    from bot.settings import check_folders
    from bot.start import check_plan

    try:
        check_plan(settings, doors=True)
        yield works("Settings", "they go together.")
    except DeputyError as error:
        yield fails("Settings", str(error))
    yield _data_folder(settings)
    try:
        check_folders(settings)
    except DeputyError as error:
        yield fails("Actions and policies", str(error))
        return
    found = faults(settings)
    yield from (fails("Actions and policies", fault) for fault in found)
    if not found:
        yield works("Actions and policies", summary(settings))
    if settings.links_file:
        yield from _people(settings)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.exists():
        return absent("Data folder", f"{folder} is not there yet; Deputy makes it when it starts.")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return fails(
            "Data folder", f"{folder} can't be written to. Let Deputy write there, or set DEPUTY_DATA_DIR."
        )
    return works("Data folder", f"{folder} can be written to.")


def _people(settings: Settings) -> Iterator[Finding]:
    from pathlib import Path

    from bot.cli.check import people_faults
    from bot.identity.linkfile import LinkFile

    found = people_faults(settings)
    yield from (fails("People", fault) for fault in found)
    if not found:
        people = LinkFile(Path(settings.links_file), frozenset).links().people
        yield works("People", f"{settings.links_file} names {len(people)}.")


async def data(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found of the database, the vault and the audit log."""
    from bot.store.backend import backend

    if not settings.database_url and not settings.database_file.is_file():
        yield absent(_DATABASE, f"{settings.database_file} is not there yet; Deputy makes it when it starts.")
        return
    try:
        store = SqlStore(backend(settings.database))  # not `open_store`, which brings the tables up to date
    except DeputyError as error:
        yield fails(_DATABASE, str(error))
        return
    try:
        schema = await _schema(store)
        yield schema
        if schema.fine:
            yield await _audit(store)
            yield await _vault(settings, store)
            yield await _credentials(settings, store)
    finally:
        await store.close()


async def _schema(store: SqlStore) -> Finding:
    from bot.store.schema import HEAD

    try:
        found = await store.revision()
    except DeputyError as error:
        return fails(_DATABASE, str(error))
    if found == HEAD:
        return works(_DATABASE, f"it answers, and its tables are up to date ({HEAD}).")
    if found is None or found < HEAD:
        sentence = f"its tables are those of {found or 'nothing yet'}, and this Deputy knows {HEAD}"
        return absent(
            _DATABASE, f"{sentence}. They are brought up to date at the start, or by `deputy db upgrade`."
        )
    return fails(
        _DATABASE, f"a newer Deputy wrote it (its tables are {found}, this one knows {HEAD}). Start that one."
    )


async def _audit(store: SqlStore) -> Finding:
    """Look at the end of the chain; all of it may take long."""
    try:
        sequence, head = await store.head()
        newest = await store.entries(after=sequence - 1, limit=1) if sequence else ()
    except DeputyError as error:
        return fails(_AUDIT, str(error))
    if not sequence:
        return absent(_AUDIT, "nothing stands in it yet.")
    if len(newest) != 1 or newest[0].hash != head or newest[0].computed() != head:
        return fails(_AUDIT, "its end does not hold. `deputy audit verify` names the entry; restore a backup.")
    return works(_AUDIT, f"its end holds: {newest[0].reference}. `deputy audit verify` looks at all of it.")


async def _vault(settings: Settings, store: SqlStore) -> Finding:
    from bot.vault.builtin import open_vault

    try:
        rows = await store.secrets()
        if not rows and not settings.key_file.is_file():
            return absent(_VAULT, f"its key {settings.key_file} is not there yet; Deputy makes it when it starts.")
        await open_vault(settings.key_file, store)
    except DeputyError as error:
        return fails(_VAULT, str(error))
    return works(_VAULT, f"the key seals and opens. Keep a copy of {settings.key_file} apart from the database.")


async def _credentials(settings: Settings, store: SqlStore) -> Finding:
    from bot.app import catalog_of
    from bot.vault.builtin import PREFIX

    try:
        there = {f"{PREFIX}{row.name}" for row in await store.secrets()}
    except DeputyError as error:
        return fails("Credentials", str(error))
    wanted = {one for action in catalog_of(settings).catalog() for one in action.credentials.values()}
    if not wanted:
        return works("Credentials", "no action names any.")
    missing = sorted(wanted - there)
    if not missing:
        return works("Credentials", f"the vault holds all {len(wanted)} that the actions name.")
    names = ", ".join(one.removeprefix(PREFIX) for one in missing)
    return absent("Credentials", f"the vault lacks {names}. Put them in with `deputy vault set`.")
