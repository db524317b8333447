"""Redaction: no form of a secret gets through, and how a stream is split makes no difference."""

import base64
import html
import json
import shlex
import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.canonical import Json
from bot.core.redact import Redactor, forms
from bot.core.secret import Secret

PASSWORD = "P@ss'w\"ö rd&<1>$x"
KEY = "\r\n".join(
    (
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0B",
        "AQEFAASCBKcwggSjAgEAAoIB",
        "-----END PRIVATE KEY-----",
        "",
    )
)
SECRETS = {
    "directory.password": Secret(PASSWORD),
    "forge.token": Secret("ghp_abcDEF1234567890"),
    "forge.short": Secret("ghp_abcDEF"),
    "forge.key": Secret(KEY),
}


def _b64(text: str, codec: str = "utf-8") -> str:
    return base64.b64encode(text.encode(codec)).decode()


ENCODED = {
    "plain": PASSWORD,
    "url": quote(PASSWORD, safe=""),
    "url in lower case": quote(PASSWORD, safe="")
    .replace("%C3%B6", "%c3%b6")
    .replace("%3C", "%3c")
    .replace("%3E", "%3e"),
    "form": quote_plus(PASSWORD),
    "html": html.escape(PASSWORD),
    "html with numbers": html.escape(PASSWORD).replace("&#x27;", "&#39;"),
    "json": json.dumps({"p": PASSWORD}),
    "json in utf-8": json.dumps({"p": PASSWORD}, ensure_ascii=False),
    "python": repr({"p": PASSWORD}),
    "hex": PASSWORD.encode().hex(),
    "hex in upper case": PASSWORD.encode().hex().upper(),
    "hex of utf-16": PASSWORD.encode("utf-16-le").hex(),
    "powershell": "'" + PASSWORD.replace("'", "''") + "'",
    "powershell in double quotes": PASSWORD.replace("`", "``").replace('"', '`"').replace("$", "`$"),
    "shell": shlex.quote(PASSWORD),
    "bash -x": "'" + PASSWORD.replace("'", "'\\''") + "'",
    "base64 at 0": _b64(PASSWORD),
    "base64 at 1": _b64("u:a:" + PASSWORD + "x"),
    "base64 at 2": _b64("svc:a" + PASSWORD + "xy"),
    "base64 url-safe": base64.urlsafe_b64encode(("?" + PASSWORD).encode()).decode(),
    "base64 of utf-16": _b64("Connect -P " + PASSWORD, "utf-16-le"),
    "utf-16 read as utf-8": PASSWORD.encode("utf-16-le").decode(errors="replace").replace("\0", ""),
    "latin-1 read as utf-8": PASSWORD.encode("latin-1").decode(errors="replace"),
    "a line of the key": "MIIEvQIBADANBgkqhkiG9w0B",
    "the key with line feeds": KEY.replace("\r\n", "\n"),
    "the key in json": json.dumps(KEY),
}


@pytest.mark.parametrize("text", ENCODED.values(), ids=list(ENCODED))
def test_V1_no_encoding_of_a_secret_gets_through(text: str) -> None:
    redacted = Redactor(SECRETS).text(f"before {text} after")
    assert "[redacted:" in redacted
    assert not any(form in redacted for one in SECRETS.values() for form in forms(one.reveal()))


@given(
    st.text(string.ascii_letters + string.digits + "+/=@-_", min_size=6, max_size=90),
    st.binary(max_size=5),
    st.binary(max_size=5),
)
def test_V1_base64_gives_nothing_away_wherever_the_secret_stands(secret: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    left = Redactor({"s": Secret(secret)}).text(encoded).replace("[redacted:s]", "")
    # Digits at the borders belong to the neighbours too: two bytes of them, and four characters at most.
    assert len(left) <= (len(before) + len(after)) * 4 / 3 + 8


PIECES = st.sampled_from(
    [*ENCODED.values(), "ghp_abcDEF1234567890", "ghp_abcDEF", "ghp_", "P@ss", "MII", "\n", "%", "a "]
)


@given(st.lists(PIECES, max_size=6).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_V2_any_split_of_a_stream_gives_the_same_as_the_whole(text: str, sizes: list[int]) -> None:
    redactor = Redactor(SECRETS)
    shown, place, turn = "", 0, 0
    while place < len(text):
        size = sizes[turn % len(sizes)]
        shown += redactor.feed(text[place : place + size])
        place, turn = place + size, turn + 1
    shown += redactor.flush()
    assert shown == Redactor(SECRETS).text(text)
    assert not any(form in shown for one in SECRETS.values() for form in forms(one.reveal()))


@given(st.text("ab", min_size=6, max_size=9), st.text("ab", min_size=6, max_size=12), st.text("ab", max_size=60))
def test_V2_overlapping_secrets_split_letter_by_letter_give_the_same_as_the_whole(
    one: str, other: str, text: str
) -> None:
    secrets = {"one": Secret(one), "other": Secret(other)}
    redactor = Redactor(secrets)
    shown = "".join(redactor.feed(char) for char in text) + redactor.flush()
    assert shown == Redactor(secrets).text(text)
    assert one not in shown
    assert other not in shown


def test_the_longest_secret_at_a_place_wins() -> None:
    assert Redactor(SECRETS).text("ghp_abcDEF1234567890") == "[redacted:forge.token]"
    assert Redactor(SECRETS).text("ghp_abcDEF12") == "[redacted:forge.short]12"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    redactor = Redactor(SECRETS)
    assert redactor.feed("step 1 is done\n") == "step 1 is done\n"
    assert redactor.feed("token ghp_abc") == "token "
    assert redactor.feed(" is none\n") == "ghp_abc is none\n"


def test_a_secret_is_redacted_as_soon_as_it_is_complete() -> None:
    redactor = Redactor({"token": Secret("ghp_abcDEF")})
    assert redactor.feed("a ghp_abcDEF") == "a [redacted:token]"


def test_texts_keys_and_numbers_of_a_result_are_redacted() -> None:
    redactor = Redactor({"pin": Secret("123456")})
    result: Json = {"123456": ["x123456", 123456, 12, True, None], "ok": {"deep": ("123456",)}}
    assert redactor.json(result) == {
        "[redacted:pin]": ["x[redacted:pin]", "[redacted:pin]", 12, True, None],
        "ok": {"deep": ["[redacted:pin]"]},
    }


def test_a_secret_with_a_line_end_is_found_without_it() -> None:
    assert Redactor({"s": Secret("swordfish\n")}).text("swordfish!") == "[redacted:s]!"


def test_values_too_short_to_be_told_from_ordinary_text_are_left() -> None:
    assert Redactor({"s": Secret("abcde")}).text("abcde 6162636465") == "abcde 6162636465"


def test_without_secrets_a_text_stays_as_it_is() -> None:
    redactor = Redactor({})
    assert redactor.feed("all\n") + redactor.flush() == "all\n"


def test_V3_a_redactor_does_not_print_its_secrets() -> None:
    assert PASSWORD not in repr(Redactor(SECRETS))
