"""Credentials: kept sealed, and handed out for one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.secret import Secret


@dataclass(frozen=True)
class SecretRow:
    """One sealed secret version as stored: nothing in it is readable without the vault's key."""

    name: str
    version: int
    key_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    created: datetime


class SecretRows(Protocol):
    """Where the built-in vault keeps its rows."""

    async def secret(self, name: str, version: int | None = None) -> SecretRow | None:
        """Return one version of a secret, the newest where none is named."""

    async def secrets(self) -> Sequence[SecretRow]:
        """Return the newest version of every secret."""

    async def all_secret_rows(self) -> Sequence[SecretRow]:
        """Return every version of every secret."""


class Vault(Protocol):
    """Keeps credentials and hands them out for one run."""

    async def version(self, reference: str) -> int:
        """Return the newest version of `vault:name`. Raises NotFound with what to do."""

    async def lease(self, reference: str, version: int, run: str) -> Mapping[str, Secret]:
        """Return the fields of one version, for one run. Raises NotFound, Damaged, Unavailable."""

    async def revoke(self, reference: str, run: str) -> None:
        """Give a lease back."""

    def seal(self, name: str, version: int, fields: Mapping[str, str], now: datetime) -> SecretRow:
        """Seal one secret version into a row for the store."""

    def seal_text(self, name: str, text: str) -> bytes:
        """Seal a text that belongs to `name` (a private result)."""

    def open_text(self, name: str, sealed: bytes) -> str:
        """Open what `seal_text` sealed. Raises Damaged."""
