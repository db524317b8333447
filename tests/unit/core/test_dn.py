"""Distinguished names: equal ones are equal texts, others never are, and nothing else is taken for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core import dn

SPECIAL = '",+;<>\\#= '
VALUES = st.text(st.sampled_from(SPECIAL + "aBé") | st.characters(codec="utf-8"), min_size=1, max_size=12)
TYPES = st.sampled_from(["CN", "OU", "DC", "O", "UID", "sAMAccountName", "2.5.4.42"])
NAMES = st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=5)


def written(parts: list[tuple[str, str]], *, all_hex: bool = False) -> str:
    """Write a name with every value escaped: what is special by a backslash, or each byte by \\XX."""
    return ",".join(f"{kind}={hexed(value) if all_hex else escaped(value)}" for kind, value in parts)


def escaped(value: str) -> str:
    return "".join(f"\\{char}" if char in SPECIAL else "\\00" if char == "\0" else char for char in value)


def hexed(value: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in value.encode())


def read(name: str) -> str | None:
    """Return a name in its one form, None where it is none."""
    try:
        return dn.canonical(name)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("cn=Alice, OU=Sales ,dc=Example,DC=com", "CN=alice,OU=sales,DC=example,DC=com"),
        ("2.5.4.11=Sales", "OU=sales"),
        ("oid.2.5.4.11=Sales", "OU=sales"),
        ("organizationalUnitName=Sales", "OU=sales"),
        ("OU=#0c0553616c6573", "OU=sales"),
        ("OU=S\\61les", "OU=sales"),
        ("OU=  Inside   Sales ", "OU=inside sales"),
        ("OU=Stra\u00dfe", "OU=strasse"),
        ("OU=\uff33ales", "OU=sales"),
        ("OU=e\u0301t\u00e9", "OU=\u00e9t\u00e9"),
        ("OU=Sa\u200bles", "OU=sales"),
        ("UID=b+CN=a", "CN=a+UID=b"),
        ("CN=Doe\\, Jane,OU=a\\2Cb", "CN=doe\\, jane,OU=a\\,b"),
        ("CN=a=b", "CN=a\\=b"),
    ],
)
def test_spellings_of_one_name_are_one_text(spelling: str, name: str) -> None:
    assert dn.canonical(spelling) == name
    assert dn.canonical(name) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OU=Sales", "OU=Salles"),
        ("OU=Sales,DC=a", "OU=Sales\\,DC\\=a"),
        ("OU=a,OU=b", "OU=b,OU=a"),
        ("OU=Sales", "CN=Sales"),
        ("OU=S\u0430les", "OU=Sales"),  # a Cyrillic а
        ("CN=a+UID=b", "CN=a,UID=b"),
    ],
)
def test_X3_names_that_only_look_alike_differ(one: str, other: str) -> None:
    assert dn.canonical(one) != dn.canonical(other)


def test_a_name_lies_in_every_place_above_it() -> None:
    assert dn.chain("CN=Alice,OU=Sales,DC=example") == (
        "CN=alice,OU=sales,DC=example",
        "OU=sales,DC=example",
        "DC=example",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no distinguished name"),
        ("alice", "is no distinguished name"),
        ("OU=Sales,", r"\(character 10\)"),
        ("OU=", "has nothing for “OU”"),
        ("OU=\\20\\20", "has nothing for “OU”"),
        ("OU=a;b", "';' at character 5"),
        ('OU="a"', "at character 4"),
        ("OU=a\\", "at character 5"),
        ("OU=a\\zz", "at character 5"),
        ("OU=#04", "in hexadecimal"),
        ("OU=#0203414243", "in hexadecimal"),
        ("OU=\\ff", "not UTF-8"),
        ("OU=\ue000", "no directory takes"),
        ("OU=" + "a" * 2_000, "2,000 is the most"),
        (",".join(["OU=a"] * 51), "50 is the most"),
    ],
)
def test_what_is_none_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dn.canonical(text)


@given(NAMES)
@example([("OU", "\u2047"), ("OU", " ")])
def test_however_a_name_is_escaped_it_reads_the_same_and_its_form_is_its_own(parts: list[tuple[str, str]]) -> None:
    plain = read(written(parts))
    assert plain == read(written(parts, all_hex=True))
    if plain is not None:
        assert read(plain) == plain
        assert len(dn.chain(plain)) == len(parts)


@given(st.text(st.sampled_from("oOuU=,+\\#aé2.5 ") | st.characters()))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    form = read(text)
    assert form is None or read(form) == form


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert dn.fold(dn.fold(text)) == dn.fold(text)
