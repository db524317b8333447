"""How scripts differ, as who approves them sees it: every line, every character, and what was cut."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.background import LONGEST_SHOWN, file_change, shortened

contents = st.binary(max_size=60) | st.text("ab\n\r\t \u202e\u200bа⟨U+0D⟩", max_size=40).map(str.encode)


def test_a_change_shows_what_goes_and_what_comes_with_lines_around_it() -> None:
    before = b"import os\n\ndef main():\n    return 1\n"
    change = file_change("x.py", before, before.replace(b"1", b"2"))
    assert change.diff == "@@ -1,4 +1,4 @@\n import os\n \n def main():\n-    return 1\n+    return 2"
    assert (change.added, change.removed) == (1, 1)


def test_a_new_file_is_all_added_and_a_file_that_is_gone_all_removed() -> None:
    assert file_change("x.py", b"", b"one\ntwo").diff == "@@ -0,0 +1,2 @@\n+one\n+two"
    assert file_change("x.py", b"one\ntwo", b"").diff == "@@ -1,2 +0,0 @@\n-one\n-two"


def test_a_new_file_has_as_many_lines_as_an_editor_says() -> None:
    assert file_change("x.py", b"", b"one\ntwo\n").added == 2
    assert file_change("x.py", b"", b"\n").added == 1


def test_a_line_feed_more_or_less_at_the_end_is_a_difference() -> None:
    assert file_change("x.py", b"one", b"one\n").diff == "@@ -1 +1,2 @@\n one\n+"
    assert file_change("x.py", b"one\n\n", b"one\n").diff == "@@ -1,2 +1 @@\n one\n-"


def test_X3_what_a_reader_could_not_see_is_shown_by_its_code_point() -> None:
    change = file_change("x.py", b"safe = 1\n", "sa\u200bfe = 1\r\n".encode())
    assert "+sa⟨U+200B⟩fe = 1⟨U+000D⟩" in change.diff


def test_a_line_that_looks_like_the_head_of_a_difference_is_counted_too() -> None:
    change = file_change("x.py", b"-- a\n", b"++ b\n")
    assert (change.added, change.removed) == (1, 1)
    assert "--- a\n+++ b" in change.diff


def test_a_character_and_its_code_point_written_out_are_not_taken_for_the_same() -> None:
    assert file_change("x", "⟨U+200B⟩".encode(), "\u200b".encode()).added == 1


@given(contents, contents)
def test_P8_any_two_contents_that_differ_show_a_difference(before: bytes, after: bytes) -> None:
    change = file_change("x", before, after)
    assert bool(change.diff) == (before != after)
    assert bool(change.added + change.removed) == (before != after)


@given(st.lists(st.text("abc", max_size=200), max_size=60))
def test_a_long_change_is_cut_at_the_end_of_a_line_and_says_so(lines: list[str]) -> None:
    whole = file_change("x", b"", "\n".join(lines).encode())
    short = shortened(whole)
    assert len(short.diff) <= LONGEST_SHOWN
    assert whole.diff.startswith(short.diff)
    assert short.cut == (short.diff != whole.diff)
    assert (short.added, short.removed) == (whole.added, whole.removed)
