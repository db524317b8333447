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
DEEPEST = 100  # levels


def encode(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of `value`; raises `Invalid` for what has no canonical form."""
    _check(value)
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        raise Invalid("A text holds half of a character (a lone surrogate).") from None


def sha256(value: Json) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of raw bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def _check(value: Json, depth: int = 0) -> None:
    """Raise Invalid for what has no canonical form. Most of what there is are texts: they take no call each."""
    if isinstance(value, str) or value is None:
        return
    if depth > DEEPEST:
        raise Invalid("It is nested too deep to be sealed.")
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                _check_key(key)
            if type(item) is not str:
                _check(item, depth + 1)
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            raise Invalid(f"{value} is too large a number to be sealed (RFC 8785 ends at 2^53 − 1).")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, Mapping):
        _check(dict(value), depth)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        _check(list(value), depth)
    else:
        raise Invalid(f"A {type(value).__name__} has no canonical form.")


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key.isascii():
        raise Invalid(f"{key!r} can't be a key in canonical JSON here.")


def _usual(value: Mapping[str, Json] | Sequence[Json]) -> object:
    """Turn what the encoder doesn't know, and `_check` let in, into what it knows."""
    return dict(value) if isinstance(value, Mapping) else list(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_usual)
