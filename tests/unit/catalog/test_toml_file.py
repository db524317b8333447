"""Reading a .toml, and finding the line of what is wrong in it."""

import tomllib
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import values
from bot.catalog.toml_file import line_of, parse
from bot.core.errors import Invalid

TEXT = '''\
# an action
summary = "Says hello."

help = """
[parameters.account]
label = "not this one"
"""
[credentials]
directory = "vault:directory"
[parameters.account]
label = "Account"
"pattern" = "a+"
[ parameters . "days" ]  # odd, but TOML
minimum = 1
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("summary",), 2),
        (("credentials",), 8),
        (("credentials", "directory"), 9),
        (("parameters", "account"), 10),
        (("parameters", "account", "label"), 11),
        (("parameters", "account", "pattern"), 12),
        (("parameters", "days", "minimum"), 14),
        (("parameters", "days", "maximum"), 13),
        (("risk",), 1),
    ],
)
def test_a_field_is_found_at_its_line_and_a_missing_one_where_it_should_stand(
    keys: tuple[str, ...], line: int
) -> None:
    assert line_of(TEXT, keys) == line


_NAMES = st.text(ascii_lowercase, min_size=1, max_size=4)
_TABLES = st.dictionaries(_NAMES, st.lists(_NAMES, unique=True, max_size=4), max_size=4)


@given(_TABLES, st.lists(st.sampled_from(["", "# note", "  "]), max_size=3))
def test_every_key_of_every_table_is_found_where_it_was_written(
    tables: dict[str, list[str]], between: list[str]
) -> None:
    rows: list[str] = []
    written: dict[tuple[str, str], int] = {}
    for table, keys in tables.items():
        rows += [*between, f"[{table}]"]
        for key in keys:
            rows += [*between, f'{key} = """', "x = 1", '"""']
            written[table, key] = len(rows) - 2
    text = "\n".join(rows)
    tomllib.loads(text)
    assert {place: line_of(text, place) for place in written} == written


@given(st.text())
def test_any_text_is_parsed_or_refused_with_a_line_that_exists(text: str) -> None:
    try:
        parse("people/greet.toml", text.encode())
    except Invalid as fault:
        path, _, line = fault.where.rpartition(":")
        assert path == "people/greet.toml"
        assert 1 <= int(line) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('summary = "a"\nrisk = read\n', "a.toml:2"),
        ('summary = "a"\nsummary = "b"\n', "a.toml:2"),
        ('summary = "a"\nlocks = [\n', "a.toml:2"),
        ("x = 1e99999999999999999999", "a.toml:1"),
        ("x = " + "[" * 5_000, "a.toml:1"),
    ],
    ids=["not quoted", "twice", "left open", "huge exponent", "nested"],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, where: str) -> None:
    with pytest.raises(Invalid, match=r"isn't valid TOML") as caught:
        parse("a.toml", text.encode())
    assert caught.value.where == where


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    document = parse("a.toml", "\ufeffsummary = 'a'\r\nrisk = 'b'\r\n".encode())
    assert document.data == {"summary": "a", "risk": "b"}
    assert line_of(document.text, ["risk"]) == 2


def test_a_wrong_field_becomes_a_fault_with_line_and_name_and_its_default_stands() -> None:
    document = parse("a.toml", b'summary = "a"\ntimeout = "long"\n')
    assert document.top.get("timeout", values.whole(1, 10), 5) == 5
    assert [str(fault) for fault in document.faults] == [
        "a.toml:2: “timeout” takes a whole number from 1 to 10, not 'long'."
    ]


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (values.text, 5),
        (values.text, "  "),
        (values.text, "two\nlines"),
        (values.text, "turned \u202e round"),
        (values.texts, "one"),
        (values.texts, [1]),
        (values.flag, 1),
        (values.number, True),
        (values.number, "1"),
        (values.whole(1, 9), True),
        (values.whole(1, 9), 10),
        (values.one_of("a", "b"), ["a"]),
        (values.reference, "directory"),
        (values.reference, "vault:../key"),
        (values.regex, "(open"),
        (values.choices, []),
        (values.choices, ["a", "a"]),
        (values.choices, [{"value": "a"}]),
        (values.choices, [{"value": "a", "label": "A", "extra": "b"}]),
        (values.table, "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(read: object, wrong: object) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match=r"^(takes|isn't|has) "):
        read(wrong)


def test_choices_are_texts_or_tables_with_a_label() -> None:
    one, two = values.choices(["a", {"value": "b", "label": "Bee"}])
    assert (one.value, one.label, two.value, two.label) == ("a", "a", "b", "Bee")
