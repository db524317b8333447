"""TOML with lines: where a field stands, or should."""

import tomllib
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import toml
from bot.core.errors import Invalid
from bot.core.toml import line_of

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


FREEZES = """\
[[freeze]]
name = "one"
[[freeze]]
# the second
name = "two"
until = 2026-12-25
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("freeze", 0), 1),
        (("freeze", 0, "name"), 2),
        (("freeze", 0, "until"), 1),
        (("freeze", 1), 3),
        (("freeze", 1, "name"), 5),
        (("freeze", 1, "until"), 6),
    ],
)
def test_of_tables_with_one_name_each_has_its_own_lines(keys: tuple[toml.Key, ...], line: int) -> None:
    assert line_of(FREEZES, keys) == line


def test_a_fault_without_a_place_is_given_that_of_its_field() -> None:
    with (
        pytest.raises(Invalid, match=r"^a\.toml:6: It is over\.$"),
        toml.at(FREEZES, "a.toml", "freeze", 1, "until"),
    ):
        raise Invalid("It is over.")


def test_a_fault_that_knows_its_place_keeps_it() -> None:
    with pytest.raises(Invalid) as caught, toml.at(FREEZES, "a.toml", "freeze"):
        raise Invalid("It is over.", "b.toml:9")
    assert caught.value.where == "b.toml:9"
