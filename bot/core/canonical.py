"""Canonical JSON (RFC 8785) for what gets hashed: requests and audit entries.

Only the part of JSON on which all writers agree is let in: no floats (decimals travel as text),
integers within ±(2^53 − 1), keys of ASCII, no lone surrogates.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from bot.core.errors import Invalid

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]

LARGEST = 2**53 - 1


def encode(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of `value`; raises `Invalid` for what has no canonical form."""
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Invalid("A text holds half of a character (a lone surrogate).") from None


def sha256(value: Json) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of raw bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def _plain(value: Json) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise Invalid(f"{value} is too large a number to be sealed (RFC 8785 ends at 2^53 − 1).")
        return value
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item) for item in value]
    raise Invalid(f"A {type(value).__name__} has no canonical form.")


def _key(key: object) -> str:
    if not isinstance(key, str) or not key.isascii():
        raise Invalid(f"{key!r} can't be a key in canonical JSON here.")
    return key
