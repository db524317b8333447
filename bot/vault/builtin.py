"""The built-in vault: secrets sealed in Deputy's own database, opened with a key that is not in it."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.core import canonical
from bot.core.errors import Damaged, Invalid, NotFound
from bot.core.secret import Secret
from bot.core.text import shorten, visible
from bot.ports import SecretRow, SecretRows
from bot.service.secrets import checked_name
from bot.vault import envelope
from bot.vault.envelope import Kind, Label, Sealed
from bot.vault.keyfile import KeyChange, KeyFile, open_keys
from bot.vault.keys import ID_LENGTH

PREFIX = "vault:"

_KEY_AT = 1
_WRAPPED_AT = _KEY_AT + ID_LENGTH
_CIPHERTEXT_AT = _WRAPPED_AT + envelope.WRAPPED


async def open_vault(path: Path, rows: SecretRows) -> "BuiltinVault":
    """Open the vault whose key file is `path`, made where nothing is sealed yet, and test it.

    Raises Invalid for a missing or untrustworthy key file, Damaged for a key that doesn't fit the secrets.
    """
    vault = BuiltinVault(open_keys(path, requires_existing=bool(await rows.secrets())), rows)
    await vault.test()
    return vault


class BuiltinVault:
    """A `ports.Vault`. `store` names the database that the rows belong to: elsewhere they don't open."""

    def __init__(self, keys: KeyFile, rows: SecretRows, store: str = "deputy") -> None:
        self._keys = keys
        self._rows = rows
        self._store = store

    async def version(self, reference: str) -> int:
        """Return the newest version of `vault:name`. Raises NotFound, Invalid for another reference."""
        return (await self._row(_name(reference), None)).version

    async def lease(self, reference: str, version: int, run: str) -> Mapping[str, Secret]:
        """Return the fields of one version. Raises NotFound, Damaged, Invalid for another reference."""
        row = await self._row(_name(reference), version)
        # Labelled with what was asked for, so that another row in its place doesn't open.
        label = Label(Kind.SECRET, self._store, _name(reference), version)
        return {field: Secret(value) for field, value in json.loads(self._unseal(label, _sealed(row))).items()}

    async def revoke(self, reference: str, run: str) -> None:
        """Do nothing: what this vault hands out is no lease that ends."""

    def seal(self, name: str, version: int, fields: Mapping[str, str], now: datetime) -> SecretRow:
        """Seal one secret version into a row for the store."""
        label = Label(Kind.SECRET, self._store, name, version)
        sealed = envelope.seal(self._keys.ring().primary, label, canonical.encode(dict(fields)))
        return SecretRow(name, version, sealed.key_id, sealed.wrapped_key, sealed.ciphertext, now)

    def seal_text(self, name: str, text: str) -> bytes:
        """Seal a text that belongs to `name`: format (1 byte), key id, wrapped data key, ciphertext."""
        label = Label(Kind.TEXT, self._store, name)
        return _packed(envelope.seal(self._keys.ring().primary, label, text.encode("utf-8", "surrogatepass")))

    def open_text(self, name: str, sealed: bytes) -> str:
        """Open what `seal_text` sealed. Raises Damaged."""
        label = Label(Kind.TEXT, self._store, name)
        return self._unseal(label, _unpacked(label, sealed)).decode("utf-8", "surrogatepass")

    async def test(self) -> None:
        """Prove that the vault seals and opens, and that its key fits the newest secret. Raises Damaged."""
        if self.open_text("a probe", self.seal_text("a probe", "sealed and opened")) != "sealed and opened":
            raise Damaged(
                "The encryption of this machine doesn't return what it was given; don't run Deputy on it."
            )
        rows = await self._rows.secrets()
        if rows:
            newest = max(rows, key=lambda row: row.created)
            self._unseal(Label(Kind.SECRET, self._store, newest.name, newest.version), _sealed(newest))

    @contextmanager
    def rotation(self) -> Iterator["Rotation"]:
        """Begin to replace the vault's key. Raises Conflict while somebody else does."""
        with self._keys.changing() as change:
            yield Rotation(change, self._store, change.renew().id)

    async def _row(self, name: str, version: int | None) -> SecretRow:
        row = await self._rows.secret(name, version)
        if row:
            return row
        if version is None or await self._rows.secret(name) is None:
            raise NotFound(f"There is no secret “{name}” in the vault. Set it with `deputy vault set {name}`.")
        raise NotFound(f"The secret “{name}” has no version {version} any more. Ask again, to use the newest one.")

    def _unseal(self, label: Label, sealed: Sealed) -> bytes:
        return envelope.unseal(self._keys.ring(), label, sealed)


@dataclass(frozen=True)
class Rotation:
    """The vault's key being replaced. Rows sealed with the old key open until it is retired."""

    change: KeyChange
    store: str
    key_id: str

    def rewrap(self, row: SecretRow) -> SecretRow:
        """Return the row with its data key wrapped by the new key. Raises Damaged."""
        label = Label(Kind.SECRET, self.store, row.name, row.version)
        sealed = envelope.rewrap(self.change.file.ring(), label, _sealed(row))
        return replace(row, key_id=sealed.key_id, wrapped_key=sealed.wrapped_key)

    def rewrap_text(self, name: str, sealed: bytes) -> bytes:
        """Return what `seal_text` sealed with its data key wrapped by the new key. Raises Damaged."""
        label = Label(Kind.TEXT, self.store, name)
        return _packed(envelope.rewrap(self.change.file.ring(), label, _unpacked(label, sealed)))

    def text_key(self, sealed: bytes) -> str:
        """Return the id of the key that wraps what `seal_text` sealed."""
        return _key_id(sealed)

    def retire(self, in_use: Collection[str]) -> tuple[str, ...]:
        """Remove the old keys, but not those whose ids are still `in_use`; return the removed ids."""
        return self.change.retire(in_use)


def _sealed(row: SecretRow) -> Sealed:
    return Sealed(row.key_id, row.wrapped_key, row.ciphertext)


def _packed(sealed: Sealed) -> bytes:
    return bytes([envelope.FORMAT]) + sealed.key_id.encode() + sealed.wrapped_key + sealed.ciphertext


def _key_id(sealed: bytes) -> str:
    return sealed[_KEY_AT:_WRAPPED_AT].decode("ascii", "replace")


def _unpacked(label: Label, sealed: bytes) -> Sealed:
    if sealed[:_KEY_AT] != bytes([envelope.FORMAT]) or not sealed[_KEY_AT:_WRAPPED_AT].isalnum():
        raise Damaged(f"{label.title} is not in a form that this vault seals. Run the action again.")
    return Sealed(_key_id(sealed), sealed[_WRAPPED_AT:_CIPHERTEXT_AT], sealed[_CIPHERTEXT_AT:])


def _name(reference: str) -> str:
    if not reference.startswith(PREFIX):
        raise Invalid(
            f"“{shorten(visible(reference), 60)}” names nothing in the built-in vault: "
            "a reference to it reads like `vault:directory`."
        )
    return checked_name(reference.removeprefix(PREFIX))
