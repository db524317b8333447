"""The vault's keys as values, and the text of the key file: one key a line, the first one seals.

    # a comment
    3f9c02d1a7be 2PqX…=

A line is the key's id and the key's 32 bytes in base64.
"""

import binascii
import hashlib
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.core.errors import Invalid
from bot.core.secret import Secret

SIZE = 32
ID_LENGTH = 12

_HEAD = """\
# The keys of Deputy's vault: the first one seals, the others only open what is not sealed anew yet.
# Keep a copy of this file in a safe place, apart from the database: without it no secret can be read.
"""


@dataclass(frozen=True)
class Key:
    """A 256-bit key that wraps data keys; `material` is its base64."""

    material: Secret

    @classmethod
    def new(cls) -> "Key":
        """Return a random key."""
        return cls(Secret(b64encode(os.urandom(SIZE)).decode()))

    @property
    def id(self) -> str:
        """The start of the key's hash, in hex: names a key without telling it."""
        return hashlib.sha256(b"deputy vault key " + b64decode(self.material.reveal())).hexdigest()[:ID_LENGTH]

    @property
    def cipher(self) -> AESGCM:
        """AES-256-GCM under this key."""
        return AESGCM(b64decode(self.material.reveal()))


@dataclass(frozen=True)
class KeyRing:
    """All keys of a vault: the first seals, every one opens. `source` is the file they come from."""

    keys: tuple[Key, ...]
    source: str

    @property
    def primary(self) -> Key:
        return self.keys[0]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(key.id for key in self.keys)

    def find(self, key_id: str) -> Key | None:
        """Return the key with this id, or None."""
        return next((key for key in self.keys if key.id == key_id), None)


def render(keys: tuple[Key, ...]) -> str:
    """Return the key file's text."""
    return _HEAD + "".join(f"{key.id} {key.material.reveal()}\n" for key in keys)


def parse(text: str, source: str) -> KeyRing:
    """Read the key file's text. Raises Invalid naming `source` and the line, and never quoting it."""
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            key = _key(line.split(), f"{source}:{number}")
            keys[key.id] = key
    if not keys:
        raise Invalid("This key file holds no key; put back a copy of it.", source)
    return KeyRing(tuple(keys.values()), source)


def _key(parts: list[str], where: str) -> Key:
    if len(parts) != 2:
        raise Invalid("This is not a key's id and the key in base64; put back a copy of the key file.", where)
    key_id, material = parts
    key = Key(Secret(material))
    size = _size(key.material)
    if size is None:
        raise Invalid("This key is not base64; put back a copy of the key file.", where)
    if size != SIZE:
        raise Invalid(f"This key has {size} bytes, not {SIZE}; put back a copy of the key file.", where)
    if key.id != key_id:
        raise Invalid("This key doesn't fit its id, so one of them was changed; put back a copy.", where)
    return key


def _size(material: Secret) -> int | None:
    try:
        return len(b64decode(material.reveal(), validate=True))
    except (binascii.Error, ValueError):
        return None
