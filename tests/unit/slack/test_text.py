"""Text for Slack: literal, in one line where it has to be, and cut where the reader sees it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack.text import cut, escaped, fit, plain, size
from bot.core.canonical import sha256_bytes
from bot.core.text import visible

ANY = st.text(max_size=400)


def test_O1_mentions_and_labelled_links_are_named_not_made() -> None:
    assert escaped("<!channel> <@U1> <https://evil.example|bank>") == (
        "&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|bank&gt;"
    )
    assert escaped("a & b") == "a &amp; b"


def test_X3_what_nobody_sees_is_shown() -> None:
    assert "⟨U+202E⟩" in escaped("txt\u202eexe")
    assert plain("a\u200bb", 75)["text"] == "a⟨U+200B⟩b"


def test_plain_text_is_one_line_and_never_empty() -> None:
    assert plain(" one\n two ", 75) == {"type": "plain_text", "text": "one two", "emoji": False}
    assert plain(" \n ", 75)["text"] == "–"


@given(ANY, st.integers(1, 80))
def test_plain_text_keeps_to_its_limit(text: str, limit: int) -> None:
    assert 1 <= len(plain(text, limit)["text"]) <= limit


@given(ANY, st.integers(0, 500), st.booleans())
def test_what_fits_is_as_much_as_fits(text: str, room: int, tail: bool) -> None:
    kept = fit(text, room, tail)
    assert text.endswith(kept) if tail else text.startswith(kept)
    assert size(kept) - 2 <= room
    if kept != text:
        longer = text[-len(kept) - 1 :] if tail else text[: len(kept) + 1]
        assert size(longer) - 2 > room


@given(st.text(max_size=2_000), st.integers(100, 1_000))
def test_O3_a_cut_text_says_how_long_it_is_and_proves_its_rest(text: str, room: int) -> None:
    shown = cut(text, room)
    assert size(shown) - 2 <= room
    if shown != visible(text, lines=True):
        assert f"{len(text):,} characters in all" in shown
        assert sha256_bytes(text.encode(errors="replace"))[:12] in shown
