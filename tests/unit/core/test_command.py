"""What people type: read into a command or refused in words, and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command import LONGEST, Command, addressed, parse
from bot.core.errors import Invalid

typed = st.text(st.sampled_from("ab=\"'“”‘’„«»‚‹›\\ \t\n\0-é\ud800") | st.characters())
QUOTES = [('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("„", "“”"), ("„", "”“"), ("«", "»"), ("»", "«")]
QUOTES += [("‚", "‘’"), ("‹", "›"), ("›", "‹")]
# A backslash before a quote is its escape, so a text can't end in one or have one before a quote.
quotable = st.text().filter(lambda text: not re.search(r"\\($|[\"'“”‘’«»‹›])", text))
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def quoted(text: str, quotes: tuple[str, str]) -> str:
    opening, closing = quotes
    return opening + re.sub(f"([{closing}])", r"\\\1", text) + closing[0]


@given(typed)
def test_any_text_is_a_command_or_invalid(text: str) -> None:
    try:
        command = parse(text)
    except Invalid as refused:
        assert refused.sentence
    else:
        assert isinstance(command, Command)


@given(
    words=st.lists(quotable, max_size=4),
    named=st.dictionaries(names, quotable, max_size=4),
    quotes=st.sampled_from(QUOTES),
)
def test_X1_whatever_is_quoted_comes_back_letter_by_letter(
    words: list[str], named: dict[str, str], quotes: tuple[str, str]
) -> None:
    pairs = [f"{name}={quoted(value, quotes)}" for name, value in named.items()]
    text = " ".join(["look", *(quoted(word, quotes) for word in words), *pairs])
    assert parse(text) == Command("look", tuple(words), named)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Command("")),
        (" \t\n", Command("")),
        ("help", Command("help")),
        ("HELP Me", Command("help", ("Me",))),
        ("unlock alice", Command("unlock", ("alice",))),
        ('unlock alice reason="called in"', Command("unlock", ("alice",), {"reason": "called in"})),
        ("unlock reason=“called in”", Command("unlock", (), {"reason": "called in"})),
        ("unlock reason=‘called in’", Command("unlock", (), {"reason": "called in"})),
        ("unlock reason='called in'", Command("unlock", (), {"reason": "called in"})),
        ("unlock reason=„called in“", Command("unlock", (), {"reason": "called in"})),
        ("unlock reason=„called in”", Command("unlock", (), {"reason": "called in"})),
        ("unlock reason=«called in» al", Command("unlock", ("al",), {"reason": "called in"})),
        ("unlock »al b«", Command("unlock", ("al b",))),
        ("unlock 'she's fine' b", Command("unlock", ("she's fine", "b"))),
        ('unlock "a"b" c', Command("unlock", ('a"b', "c"))),
        ('unlock reason="a" b', Command("unlock", ("b",), {"reason": "a"})),
        ("unlock reason=a “b c”", Command("unlock", ("b c",), {"reason": "a"})),
        ("unlock how = move", Command("unlock", ("how", "=", "move"))),
        ("unlock it's", Command("unlock", ("it's",))),
        ("unlock reason=it’s", Command("unlock", (), {"reason": "it’s"})),
        ("unlock reason= alice", Command("unlock", ("alice",), {"reason": ""})),
        ("unlock reason=", Command("unlock", (), {"reason": ""})),
        ('unlock ""', Command("unlock", ("",))),
        ("unlock first-name=Al", Command("unlock", (), {"first_name": "Al"})),
        ("unlock filter=a=b", Command("unlock", (), {"filter": "a=b"})),
        ("unlock 1=2", Command("unlock", ("1=2",))),
        ("a=b c", Command("a=b", ("c",))),
        (r'say "a \"b\" \\srv\share \n"', Command("say", (r'a "b" \\srv\share \n',))),
        ("@deputy", Command("@deputy")),
        (r"say ACME\alice", Command("say", (r"ACME\alice",))),
        ("say $(id);`id`|id&&id {{7*7}}", Command("say", ("$(id);`id`|id&&id", "{{7*7}}"))),
        ("say -rf --help", Command("say", ("-rf", "--help"))),
        ("say\u00a0alice", Command("say", ("alice",))),
    ],
)
def test_a_text_is_read_as(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize("text", ["unlock a=1 a=2", 'unlock a=1 a="1"', "unlock first-name=1 first_name=2"])
def test_a_name_given_twice_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r"“(a|first_name)” is given twice\."):
        parse(text)


@pytest.mark.parametrize("text", ['x hosts="a", "b"', 'x reason="a", account="b"', "deny R-1 'no'.", "x “a”;b"])
def test_what_stands_right_behind_a_quotation_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Leave a blank there, or put all of it into the quotes"):
        parse(text)


def test_what_nobody_sees_behind_a_quotation_is_shown_by_its_code_point() -> None:
    with pytest.raises(Invalid, match=r"stands “⟨U\+200B⟩”"):
        parse('x "a"\u200b b')


@pytest.mark.parametrize("opening", ['"', "'", "“", "‘", "„", "«", "‚", "‹"])
def test_an_open_quote_is_refused_and_shown(opening: str) -> None:
    with pytest.raises(Invalid, match=f"not closed: {opening}called in"):
        parse(f"unlock reason={opening}called in")


@pytest.mark.parametrize(
    "text", ["unlock al reason=she's fine", "unlock reason=she's fine now", "deny R-1 reason=a b"]
)
def test_a_word_that_may_go_on_with_a_value_is_taken_for_nothing_else(text: str) -> None:
    with pytest.raises(Invalid, match=r"It isn't clear whether “(fine|b)” belongs to reason\."):
        parse(text).check()
    with pytest.raises(Invalid, match="put quotes around all of it"):
        parse(text).check({"reason"})
    parse(text).check({"size"})


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("move how = lock", Command("move", (), {"how": "lock"})),
        ("move al how= “lock it” b", Command("move", ("al", "b"), {"how": "lock it"})),
        ("move how\n=\n'a b' to = c", Command("move", (), {"how": "a b", "to": "c"})),
        ("move how= to=c", Command("move", (), {"how": "", "to": "c"})),
        ("move how = to = c", Command("move", (), {"how": "", "to": "c"})),
        ("move how =", Command("move", (), {"how": ""})),
        ("move to how", Command("move", ("to", "how"))),
        ("move 'how = lock'", Command("move", ("how = lock",))),
        ("move 'how' = lock", Command("move", ("how", "=", "lock"))),
        ("move other= al", Command("move", ("al",), {"other": ""})),
        ("how = lock", Command("how", ("=", "lock"))),
    ],
)
def test_blanks_may_stand_around_the_sign_behind_the_name_of_a_parameter(text: str, command: Command) -> None:
    assert parse(text).knowing({"how", "to"}) == command


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("move other = al", "“other” is not a parameter of this action."),
        ("move how =lock al", "It isn't clear whether “al” belongs to how."),
    ],
)
def test_what_blanks_around_the_sign_leave_open_is_refused(text: str, fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        parse(text).knowing({"how", "to"}).check()


def test_the_longest_command_is_read_and_a_longer_one_refused_with_its_length() -> None:
    assert parse("a" * LONGEST).name == "a" * LONGEST
    with pytest.raises(Invalid, match="8,001 characters long"):
        parse("a" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("/deputy help", "help"),
        ("@Deputy help", "help"),
        ("  /DEPUTY   help me", "help me"),
        ("/deputy", ""),
        ("@deputy\nhelp", "help"),
        ("@Deputy: help", "help"),
        ("@deputy, help", "help"),
    ],
)
def test_a_text_for_deputy_is_known_by_its_prefix(text: str, rest: str) -> None:
    assert addressed(text) == rest


@pytest.mark.parametrize(
    "text", ["", "help", "deputy help", "ask @deputy", "/deputyx help", "@deputies help", "/ deputy"]
)
def test_a_text_for_others_is_none_of_deputys(text: str) -> None:
    assert addressed(text) is None
