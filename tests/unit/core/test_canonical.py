"""Canonical JSON: byte for byte what another implementation of RFC 8785 writes, and nothing doubtful let in."""

import hashlib
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bot.core.canonical import LARGEST, Json, encode, sha256, sha256_bytes
from bot.core.errors import Invalid

scalars = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(values)
def test_the_bytes_are_those_of_rfc8785(value: Json) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(st.dictionaries(keys, scalars))
def test_the_order_of_keys_makes_no_difference(value: dict[str, Json]) -> None:
    assert encode(dict(reversed(value.items()))) == encode(value)


@given(values)
def test_A8_the_bytes_are_one_line(value: Json) -> None:
    assert not set(encode(value)) & set(b"\n\r\0")


def test_tuples_are_lists_and_enums_are_their_values() -> None:
    colour = StrEnum("colour", {"RED": "red"})
    assert encode({"a": (1, colour.RED)}) == encode({"a": [1, "red"]})


def test_the_hash_is_that_of_the_bytes() -> None:
    assert sha256({"b": [True], "a": "é"}) == hashlib.sha256('{"a":"é","b":[true]}'.encode()).hexdigest()
    assert sha256_bytes(b"abc") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        LARGEST + 1,
        -LARGEST - 1,
        Decimal(1),
        {1, 2},
        b"bytes",
        bytearray(b"bytes"),
        "\ud800",
        {"a\udfff": 1},
        {"é": 1},
        {1: "one"},
        {None: 1},
        pytest.param(object(), id="object"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: [bad], lambda bad: {"a": {"b": [bad]}}])
def test_what_has_no_canonical_form_is_refused_wherever_it_stands(value: Any, wrap: Callable[[Any], Json]) -> None:
    with pytest.raises(Invalid):
        encode(wrap(value))


def test_the_ends_of_the_range_are_let_in() -> None:
    assert encode([LARGEST, -LARGEST]) == b"[9007199254740991,-9007199254740991]"
