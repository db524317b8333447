"""Text from outside: what is let in, and what a reader gets to see of the rest."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import escape, fault_in, in_order, shorten, visible

anything = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a\0b", "holds the control character ⟨U+0000⟩"),
        ("a\rb", "holds the control character ⟨U+000D⟩"),
        ("a\x1b[2Jb", "holds the control character ⟨U+001B⟩"),
        ("a\x85b", "holds the control character ⟨U+0085⟩"),
        ("a\u2028b", "holds the line separator ⟨U+2028⟩"),
        ("a\ud800b", "holds half of a character (a lone surrogate)"),
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_X3_what_no_argument_may_hold_is_named_by_its_code_point(text: str, fault: str, lines: bool) -> None:
    assert fault_in(text, lines=lines) == fault


@pytest.mark.parametrize("text", ["a\nb", "a\tb"])
def test_line_feeds_and_tabs_are_for_texts_of_several_lines(text: str) -> None:
    assert fault_in(text, lines=True) is None
    assert "control character" in str(fault_in(text, lines=False))


@pytest.mark.parametrize("text", ["", "alice", "Jürgen Müßig", "田中", "👩‍💻", "$(id); `id`", "-rf"])
def test_ordinary_text_is_let_in(text: str) -> None:
    assert fault_in(text, lines=False) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gpj\u202eexe", "gpj⟨U+202E⟩exe"),
        ("ad\u200bmin", "ad⟨U+200B⟩min"),
        ("ad\u00admin", "ad⟨U+00AD⟩min"),
        ("ad\u034fmin", "ad⟨U+034F⟩min"),
        ("ad\ufe00min", "ad⟨U+FE00⟩min"),
        ("42\u3164", "42⟨U+3164⟩"),
        ("42\u2800", "42⟨U+2800⟩"),
        ("a\u00a0b", "a⟨U+00A0⟩b"),
        ("a\nb", "a⟨U+000A⟩b"),
        ("a\ud800b", "a⟨U+D800⟩b"),
        ("a\ue000b", "a⟨U+E000⟩b"),
        ("\U000e0041", "⟨U+E0041⟩"),
    ],
)
def test_X3_what_a_reader_could_not_see_is_shown_by_its_code_point(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u0430dmin", "⟨U+0430⟩dmin"),
        ("r\u043e\u043et", "r⟨U+043E⟩⟨U+043E⟩t"),
        ("p\u03b1y", "p⟨U+03B1⟩y"),
        ("admin\uff41", "admin⟨U+FF41⟩"),
    ],
)
def test_X3_a_homoglyph_among_latin_letters_is_shown_by_its_code_point(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["", "alice_01", "Zoë Müßig", "Анна", "Αθήνα 7", "田中 太郎", "a+b=c; $(id)"])
def test_words_of_one_script_are_shown_as_they_are(text: str) -> None:
    assert visible(text) == text


@given(anything, st.booleans())
def test_nothing_unseen_is_left(text: str, lines: bool) -> None:
    kept = set(visible(text, lines=lines)) - (set("\n\t") if lines else set()) - {" "}
    assert not {char for char in kept if unicodedata.category(char)[0] in "CZ" or char.isspace()}


@given(anything)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.characters())
def test_an_escape_holds_the_code_point(char: str) -> None:
    assert int(escape(char).removeprefix("⟨U+").removesuffix("⟩"), 16) == ord(char)


@given(anything, st.integers(1, 20))
def test_a_shortened_text_fits_and_says_that_it_was_cut(text: str, limit: int) -> None:
    cut = shorten(text, limit)
    assert len(cut) <= limit
    assert cut == text if len(text) <= limit else cut == text[: limit - 1] + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/\u05d0/1/2", "/srv/⟨U+05D0⟩/1/2"),
        ("10 \u05d0 20", "10 ⟨U+05D0⟩ 20"),
        ("alice \u0627\u0628 bob", "alice ⟨U+0627⟩⟨U+0628⟩ bob"),
        ("\u0661/\u0662", "⟨U+0661⟩/⟨U+0662⟩"),
        ("1 \u07c0 2", "1 ⟨U+07C0⟩ 2"),
    ],
)
def test_X3_letters_that_would_move_what_stands_beside_them_are_shown_by_their_code_points(
    text: str, shown: str
) -> None:
    assert in_order(text) == shown


@pytest.mark.parametrize("text", ["", "alice", "/srv/é/1", "田中 12", "שלום, עולם!", "مرحبا بالعالم"])
def test_a_text_in_one_direction_stays_readable(text: str) -> None:
    assert in_order(text) == text


@given(st.text(st.characters() | st.sampled_from("\u05d0\u0627 a1/")))
def test_X3_nothing_that_has_an_order_stands_beside_what_turns_it(text: str) -> None:
    classes = {unicodedata.bidirectional(char) for char in in_order(text)}
    assert not (classes & {"R", "AL", "AN"} and classes & {"L", "EN"})
    assert in_order(in_order(text)) == in_order(text)
