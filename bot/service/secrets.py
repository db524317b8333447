"""The vault's secrets: set, list, remove, and replace the key they are sealed with.

Each is one change with its audit entry; an entry names versions and fields, never a value.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.audit import Draft, Entry, Tag
from bot.core.canonical import Json
from bot.core.errors import Damaged, Invalid, NotFound
from bot.core.principal import Who
from bot.core.secret import PLAIN_FIELDS, SHORTEST, Secret
from bot.core.text import fault_in, shorten, visible
from bot.ports import Change, Output, SecretRow, SecretRows, Store, Vault

LONGEST_NAME = 100

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*")
_FIELD = re.compile(r"[a-z_][a-z0-9_]*")


class SecretStore(Store, SecretRows, Protocol):
    """The store, with the rows of the built-in vault."""


class Rotation(Protocol):
    """A key being replaced: from here on the new one seals, and all of them open."""

    @property
    def key_id(self) -> str:
        """The new key's id."""

    def rewrap(self, row: SecretRow) -> SecretRow:
        """Return the row under the new key. Raises Damaged."""

    def rewrap_text(self, name: str, sealed: bytes) -> bytes:
        """Return a text that was sealed for `name` under the new key. Raises Damaged."""

    def text_key(self, sealed: bytes) -> str:
        """Return the id of the key that a sealed text is under."""

    def retire(self, in_use: Collection[str]) -> tuple[str, ...]:
        """Remove the old keys, but not those whose ids are still `in_use`; return the removed ids."""


class Rotating(Protocol):
    """A vault whose key can be replaced."""

    def rotation(self) -> AbstractContextManager[Rotation]:
        """Make the new key, on the disk for certain. Raises Conflict while somebody else does."""


@dataclass(frozen=True)
class Listed:
    """What may be told of a secret: its name, newest version and when that was set."""

    name: str
    version: int
    set_at: datetime


@dataclass(frozen=True)
class SecretSet:
    """The version that was written, and the reference of its audit entry."""

    version: int
    audit: str


@dataclass(frozen=True)
class KeyRotated:
    """The new key's id, how many rows and private results it wraps anew, the removed keys, the audit entry."""

    key_id: str
    rewrapped: int
    results: int
    retired: tuple[str, ...]
    audit: str


async def set_secret(
    store: SecretStore, vault: Vault, name: str, fields: Mapping[str, Secret], by: Who, now: datetime
) -> SecretSet:
    """Write a secret's next version. Raises Invalid naming the field, Conflict where two write at once."""
    checked_name(name)
    _check_fields(fields)
    version = await _last_version(store, name) + 1
    row = vault.seal(name, version, {field: value.reveal() for field, value in fields.items()}, now)
    facts: dict[str, Json] = {"version": version, "fields": sorted(fields), "key": row.key_id}
    entry = await _commit(store, Change((Draft(Tag.SECRET_SET, by, name, now, facts),), secrets=(row,)))
    return SecretSet(version, entry.reference)


async def list_secrets(store: SecretRows) -> Sequence[Listed]:
    """Return what there is, by name, without opening anything."""
    rows = sorted(await store.secrets(), key=lambda row: row.name)
    return [Listed(row.name, row.version, row.created) for row in rows]


async def remove_secret(store: SecretStore, name: str, by: Who, now: datetime) -> str:
    """Remove every version of a secret and return the audit reference; the log keeps what it says of it.

    Raises NotFound, Invalid.
    """
    newest = await store.secret(checked_name(name))
    if newest is None:
        raise NotFound(f"There is no secret “{name}” to remove. See what there is with `deputy vault list`.")
    draft = Draft(Tag.SECRET_REMOVED, by, name, now, {"version": newest.version})
    return (await _commit(store, Change((draft,), removed_secrets=(name,)))).reference


async def rotate_key(store: SecretStore, vault: Rotating, by: Who, now: datetime) -> KeyRotated:
    """Replace the vault's key and wrap every data key anew.

    The new key is on the disk before a row needs it, and the old one stays until no row does: a crash
    anywhere leaves every secret and private result readable, and the next rotation finishes the work.
    Raises Conflict, Damaged naming the secret that doesn't open.
    """
    with vault.rotation() as rotation:
        rows = [row for row in await store.all_secret_rows() if row.key_id != rotation.key_id]
        rewrapped = tuple(rotation.rewrap(row) for row in rows)
        resealed = _resealed(rotation, await store.sealed_outputs())
        facts: dict[str, Json] = {
            "key": rotation.key_id,
            "before": sorted({row.key_id for row in rows}),
            "rows": len(rows),
            "results": len(resealed),
        }
        draft = Draft(Tag.KEY_ROTATED, by, rotation.key_id, now, facts)
        entry = await _commit(store, Change((draft,), rewrapped=rewrapped, resealed=resealed))
        retired = rotation.retire(await _in_use(store, rotation))
    return KeyRotated(rotation.key_id, len(rows), len(resealed), retired, entry.reference)


def _resealed(rotation: Rotation, outputs: Sequence[Output]) -> tuple[tuple[Output, bytes], ...]:
    """Wrap private results anew; one that doesn't open holds nothing up, for it is soon forgotten."""
    wrapped: list[tuple[Output, bytes]] = []
    for output in outputs:
        if output.sealed is None or rotation.text_key(output.sealed) == rotation.key_id:
            continue
        with suppress(Damaged):
            wrapped.append((output, rotation.rewrap_text(output.run, output.sealed)))
    return tuple(wrapped)


async def _in_use(store: SecretStore, rotation: Rotation) -> set[str]:
    """Return the keys that something is under; asked anew, for something may have been sealed meanwhile."""
    rows, outputs = await store.all_secret_rows(), await store.sealed_outputs()
    return {row.key_id for row in rows} | {rotation.text_key(one.sealed) for one in outputs if one.sealed}


def checked_name(name: str) -> str:
    """Return a secret's name. Raises Invalid for one that isn't lower-case letters, digits, `-` and `/`."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise Invalid(
            f"“{shorten(visible(name), 60)}” can't be a secret's name: that is made of lower-case letters, digits "
            f"and `-`, may have parts divided by `/`, and has at most {LONGEST_NAME} characters (`ad/operator`)."
        )
    return name


def _check_fields(fields: Mapping[str, Secret]) -> None:
    if not fields:
        raise Invalid("A secret needs a field, like `password`.")
    for number, (field, value) in enumerate(fields.items(), 1):
        if not _FIELD.fullmatch(field):
            # Not quoted: what stands in the wrong place may be the secret itself.
            raise Invalid("A field's name is made of lower-case letters, digits and `_`.", f"field {number}")
        fault = _fault(field, value.reveal())
        if fault:
            raise Invalid(fault, field)


def _fault(field: str, value: str) -> str | None:
    if not value:
        return "It is empty. Give it a value or leave the field out."
    if len(value) < SHORTEST and field not in PLAIN_FIELDS:
        return (
            f"It has {len(value)} characters. One of fewer than {SHORTEST} occurs in ordinary output, "
            "so it couldn't be hidden there. Choose a longer one."
        )
    fault = fault_in(value, lines=True)
    return f"It {fault}. Give it without." if fault else None


async def _last_version(store: SecretStore, name: str) -> int:
    """Return the newest version there ever was: a removed one's number is not given again.

    A request that was sealed with `name@1` must not find another secret under that number.
    """
    newest = await store.secret(name)
    versions, after = [newest.version if newest else 0], 0
    while page := await store.entries(after=after, subject=name):
        versions += [version for entry in page if isinstance(version := entry.facts.get("version"), int)]
        after = page[-1].sequence
    return max(versions)


async def _commit(store: Store, change: Change) -> Entry:
    return (await store.commit(change))[-1]
