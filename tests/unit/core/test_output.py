"""The output pipeline, byte by byte."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.output import Cleaner, Pipeline, tail
from bot.core.redact import Redactor
from bot.core.secret import Secret

SECRET = "swordfish!"


def _pipeline(cap: int = 1_000_000) -> Pipeline:
    return Pipeline(Redactor({"key": Secret(SECRET)}), cap)


def _shown(data: bytes, cap: int = 1_000_000) -> str:
    pipeline = _pipeline(cap)
    return pipeline.feed(data) + pipeline.close()


SEQUENCES = {
    "colour": ("\x1b[1;31mred\x1b[0m", "red"),
    "eight-bit colour": ("\x9b31mred", "red"),
    "link (OSC 8)": ("\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x07", "click"),
    "title": ("\x1b]0;title\x07text", "text"),
    "device string": ("\x1bPq#0\x1b\\text", "text"),
    "character set": ("\x1b(Btext", "text"),
    "cleared screen": ("a\x1b[2J\x1b[Hb", "ab"),
    "an open link ends with the line": ("\x1b]8;;x\nnext", "\nnext"),
    "a broken sequence ends where it breaks": ("\x1b[31\nnext \x1bé", "\nnext é"),
    "a sequence inside another": ("\x1b[3\x1b[1mx", "x"),
    "CRLF": ("a\r\nb\r\n", "a\nb\n"),
    "lone CR": ("10%\r20%\r", "10%\n20%\n"),
    "tab": ("a\tb", "a\tb"),
    "bell, backspace, delete": ("a\x07\x08\x7fb", "ab"),
    "bidirectional controls": ("a\u202eb\u2066c\u200fd", "abcd"),
    "invisible text (tags)": ("ok\U000e0069\U000e0067", "ok"),
    "what shows nothing": ("a\u200bb\u2060c\u00add\u3164e\ufff9f", "abcdef"),
    "joiners in a word of ASCII": ("ad\u200dm\u200cin\ufe0f", "admin"),
    "joiners that join": ("👩\u200d💻 ❤\ufe0f می\u200cخواهم", "👩\u200d💻 ❤\ufe0f می\u200cخواهم"),
    "byte order mark": ("\ufefftext", "text"),
    "line separators": ("a\u2028b\u2029c", "a\nb\nc"),
}


@pytest.mark.parametrize(("raw", "clean"), SEQUENCES.values(), ids=list(SEQUENCES))
def test_X10_escape_sequences_and_control_characters_are_taken_out(raw: str, clean: str) -> None:
    assert _shown(raw.encode()) == clean
    pipeline = _pipeline()
    assert "".join(pipeline.feed(bytes([byte])) for byte in raw.encode()) + pipeline.close() == clean


@given(
    st.text("\x1b[]8;m\\\x07\r\nab\x9b\x9c\0é\u202e\u200b\u200d\ufe0f", max_size=40),
    st.lists(st.integers(0, 80), max_size=8),
)
def test_X10_any_split_gives_the_same_as_the_whole(text: str, cuts: list[int]) -> None:
    data = text.encode()
    pipeline = _pipeline()
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = "".join(pipeline.feed(data[start:end]) for start, end in pairwise(borders)) + pipeline.close()
    assert parts == _shown(data)
    assert not set(parts) & set("\x1b\x9b\x07\r\0\u202e\u200b")


@given(st.binary(max_size=200))
def test_X9_any_bytes_become_clean_text(data: bytes) -> None:
    shown = _shown(data)
    assert all(char in "\n\t" or (char >= " " and char != "\x7f") for char in shown)


def test_X9_invalid_utf_8_is_shown_as_replacement_characters() -> None:
    assert _shown(b"caf\xe9 \xff ok \xc3") == "caf\ufffd \ufffd ok \ufffd"


def test_X9_utf_16_reads_as_the_text_it_holds() -> None:
    assert _shown("Ready.\r\nGo".encode("utf-16-le")) == "Ready.\nGo"


def test_X8_output_past_the_cap_is_cut_and_said_to_be() -> None:
    pipeline = _pipeline(1_000)
    shown = "".join(pipeline.feed(b"x" * 300) for _ in range(10)) + pipeline.close()
    assert pipeline.truncated
    assert shown == pipeline.text == "x" * 1_000 + "\n[output cut after 1,000 bytes]\n"


def test_output_up_to_the_cap_is_whole() -> None:
    pipeline = _pipeline(1_000)
    assert pipeline.feed(b"x" * 1_000) + pipeline.close() == "x" * 1_000
    assert not pipeline.truncated


@pytest.mark.parametrize("start", ["\x1b[", "\x1b]8;;", "\x1bP", "\x1b("])
def test_X8_an_endless_escape_sequence_is_not_kept(start: str) -> None:
    cleaner = Cleaner()
    cleaner.feed(start)
    filler = "0" if start != "\x1b(" else "("
    before = dict(vars(cleaner))
    assert all(cleaner.feed(filler * 10_000) == "" for _ in range(20))
    assert vars(cleaner) == before


def test_X8_an_endless_line_is_shown_as_it_comes() -> None:
    pipeline = _pipeline()
    assert pipeline.feed(b"x" * 100_000) == "x" * 100_000


@pytest.mark.parametrize(
    "wrapped",
    [
        b"sword\x1b[0mfish!",
        b"sword\0fish!",
        "sword\u202efish!".encode(),
        "sword\u200b\u00ad\u200dfish!".encode(),
        SECRET.encode("utf-16-le"),
        SECRET.encode("utf-16-be"),
        "sword\x1b[0mfish!".encode("utf-16-le"),
    ],
)
def test_V1_a_secret_is_found_behind_control_characters(wrapped: bytes) -> None:
    shown = _shown(b"key: " + wrapped + b"\n")
    assert "fish" not in shown
    assert "[redacted:key]" in shown


def test_V2_a_secret_split_into_single_bytes_is_redacted() -> None:
    pipeline = _pipeline()
    shown = "".join(pipeline.feed(bytes([byte])) for byte in f"a {SECRET} b".encode()) + pipeline.close()
    assert shown == "a [redacted:key] b"


def test_V2_half_a_secret_at_the_cap_is_not_shown() -> None:
    shown = _shown(b"12345" + SECRET.encode(), cap=5 + len(SECRET) - 1)
    assert shown == "12345\n[output cut after 14 bytes]\n"


def test_the_tail_is_the_last_lines_each_cut_to_a_width() -> None:
    text = "\n".join(f"line {number}" for number in range(50)) + "\n" + "x" * 500 + "\n\n"
    assert tail(text, lines=3, width=10) == "line 48\nline 49\n" + "x" * 9 + "…"
    assert tail("", lines=3) == ""
