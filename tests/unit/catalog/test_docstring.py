"""Labels and help texts from names and docstrings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.docstring import helps
from bot.core.wording import label

DOCSTRING = """Clean a folder.

    Longer words about it.
    account: not in the section

    Args:
        path: Where to look, e.g. /var/tmp. Links are not followed.
        days (int): Files older than this go,
            counted in days! The clock is UTC.

        note: without a full stop
        bare:

    Returns:
        count: How many.
    """


def test_the_first_sentence_about_each_parameter_is_its_help() -> None:
    assert helps(DOCSTRING) == {
        "path": "Where to look, e.g. /var/tmp.",
        "days": "Files older than this go, counted in days!",
        "note": "without a full stop",
        "bare": "",
    }


@pytest.mark.parametrize("docstring", ["", "One line.", "Args:", "Text.\n\nReturns:\n    x: y\n"])
def test_a_docstring_without_arguments_helps_with_nothing(docstring: str) -> None:
    assert helps(docstring) == {}


@given(st.text())
def test_any_docstring_can_be_read(docstring: str) -> None:
    assert all(isinstance(words, str) for words in helps("Args:\n    x: y\n" + docstring).values())


@pytest.mark.parametrize(
    ("name", "read"),
    [("max_count", "Max count"), ("account", "Account"), ("list-groups", "List groups"), ("_x", "X")],
)
def test_a_name_becomes_a_label(name: str, read: str) -> None:
    assert label(name) == read
