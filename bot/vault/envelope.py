"""Envelope encryption: every value has a random 256-bit data key, wrapped by the vault's key.

Both layers are AES-256-GCM with a random 96-bit nonce in front (NIST SP 800-38D). The associated data is the
canonical JSON of the place a value belongs to: moved to another name, version, store or kind, it doesn't open.
Rotation wraps the data key anew and leaves the value as it is.
"""

import os
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.core import canonical
from bot.core.errors import Damaged
from bot.vault.keys import Key, KeyRing

FORMAT = 1
NONCE = 12
WRAPPED = NONCE + 32 + 16


class Kind(StrEnum):
    """What is sealed."""

    SECRET = "secret"  # noqa: S105 - a kind
    TEXT = "text"


@dataclass(frozen=True)
class Label:
    """The place a value belongs to. A text has no versions: its `version` is 0."""

    kind: Kind
    store: str
    name: str
    version: int = 0

    def value(self) -> bytes:
        """Return the associated data of the value."""
        return canonical.encode({"format": FORMAT, **vars(self)})

    def data_key(self, key_id: str) -> bytes:
        """Return the associated data of the data key wrapped by the key `key_id`."""
        return canonical.encode(
            {"format": FORMAT, **vars(self), "kind": f"data key of a {self.kind}", "key": key_id}
        )

    @property
    def title(self) -> str:
        """What is sealed, as people call it."""
        if self.kind is Kind.SECRET:
            return f"The secret “{self.name}” (version {self.version})"
        return f"The private result of {self.name}"


@dataclass(frozen=True)
class Sealed:
    """A sealed value: nonces stand in front of both ciphertexts."""

    key_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def seal(key: Key, label: Label, plain: bytes) -> Sealed:
    """Seal `plain` under a data key of its own, wrapped by `key`."""
    data_key = AESGCM.generate_key(256)
    return Sealed(
        key.id,
        _encrypt(key.cipher, data_key, label.data_key(key.id)),
        _encrypt(AESGCM(data_key), plain, label.value()),
    )


def unseal(ring: KeyRing, label: Label, sealed: Sealed) -> bytes:
    """Return what was sealed for `label`. Raises Damaged saying what doesn't fit and what to do."""
    # No name is given to a key or to what was sealed: a traceback that shows locals shows neither.
    try:
        return _decrypt(AESGCM(_unwrap(ring, label, sealed)), sealed.ciphertext, label.value())
    except (InvalidTag, ValueError):
        raise _broken(label) from None


def rewrap(ring: KeyRing, label: Label, sealed: Sealed) -> Sealed:
    """Wrap the data key with the ring's first key. Raises Damaged where it doesn't open."""
    primary = ring.primary
    try:
        wrapped = _encrypt(primary.cipher, _unwrap(ring, label, sealed), label.data_key(primary.id))
    except (InvalidTag, ValueError):
        raise _broken(label) from None
    return Sealed(primary.id, wrapped, sealed.ciphertext)


def _unwrap(ring: KeyRing, label: Label, sealed: Sealed) -> bytes:
    key = ring.find(sealed.key_id)
    if key is None:
        raise Damaged(
            f"{label.title} doesn't open with this vault key: it was sealed with the key {sealed.key_id}, and "
            f"{ring.source} holds {', '.join(ring.ids)}. {_other_key(label)}"
        )
    return _decrypt(key.cipher, sealed.wrapped_key, label.data_key(sealed.key_id))


def _encrypt(cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plain, associated)


def _decrypt(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], associated)


def _other_key(label: Label) -> str:
    if label.kind is Kind.TEXT:
        return "If the key was replaced since, run the action again."
    return f"Put back the key file with that key, or set the secret again: {_anew(label)}."


def _broken(label: Label) -> Damaged:
    if label.kind is Kind.TEXT:
        return Damaged(f"{label.title} doesn't open: it was changed after it was sealed. Run the action again.")
    return Damaged(
        f"{label.title} doesn't open: its row in the database was changed after it was sealed. "
        f"Restore the database, or set the secret again: {_anew(label)}."
    )


def _anew(label: Label) -> str:
    return f"`deputy vault remove {label.name}`, then `deputy vault set {label.name}`"
